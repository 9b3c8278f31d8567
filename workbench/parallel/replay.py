"""A replay of measured steps on a simulated clock, on which every rank has a core of its own.

With more ranks than cores, ranks take turns and the wall clock says little. A computation lasts as
long as the processor time of its rank, whose threads that send and receive meanwhile share its
core. A collective lasts as long as others of its kind and size on average, from the arrival of the
last rank. A message travels as long as others of its size, while its receiver computes. What a rank
waits for follows from the order.

Ranks that take turns disturb each other. With more ranks than cores, a communication therefore
lasts as long as the shortest of its kind and size, because most others include waiting for a core,
and a computation as long as the median of the same computation in all timed steps.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import Any

from workbench.parallel.costs import Cost, typical_costs
from workbench.parallel.link import Departures, Link
from workbench.parallel.timeline import (
    COMMUNICATE,
    COMPUTE,
    WAIT,
    Interval,
    RankSteps,
    StepTimeline,
)

Spans = Sequence[Mapping[str, Any]]
LOOPBACK = Link()
"""Without simulated delays."""


def replay(
    ranks: Sequence[RankSteps], cores: int, link: Link = LOOPBACK
) -> tuple[StepTimeline, ...]:
    """Return the steps of all ranks, measured on a number of cores, on the simulated clock."""
    crowded = len(ranks) > cores
    cost = typical_costs(ranks, min if crowded else fmean, link)
    spans = [_undisturbed(steps) if crowded else [s["spans"] for s in steps] for steps in ranks]
    return tuple(
        StepTimeline(
            step["step"] + 1, tuple(simulate([each[number] for each in spans], cost, link))
        )
        for number, step in enumerate(ranks[0])
    )


def _undisturbed(steps: RankSteps) -> list[Spans]:
    """Return a rank's steps with the median processor time of each computation.

    Computations are the same if they have the same place in steps of the same length.
    """
    seconds: dict[tuple[int, int], list[float]] = defaultdict(list)
    for step in steps:
        for place, span in enumerate(step["spans"]):
            seconds[len(step["spans"]), place].append(span["cpu"])
    typical = {key: median(values) for key, values in seconds.items()}
    return [
        [{**s, "cpu": typical[len(step["spans"]), place]} for place, s in enumerate(step["spans"])]
        for step in steps
    ]


def simulate(ranks: Sequence[Spans], cost: Cost, link: Link = LOOPBACK) -> list[Interval]:
    """Return what each rank does, given its spans in order, and what communications cost."""
    return _Simulation(ranks, cost, link).run()


class _Simulation:
    def __init__(self, ranks: Sequence[Spans], cost: Cost, link: Link) -> None:
        self._ranks, self._cost = ranks, cost
        self._time = [0.0] * len(ranks)
        self._next = [0] * len(ranks)
        self._departures = [Departures(link) for _rank in ranks]
        self._sent: dict[str, tuple[float, float]] = {}
        self._intervals: list[Interval] = []

    def run(self) -> list[Interval]:
        moved = True
        while moved:
            moved = False
            for rank, spans in enumerate(self._ranks):
                while self._next[rank] < len(spans) and self._advance(rank):
                    moved = True
        return self._intervals

    def _advance(self, rank: int) -> bool:
        """Process the next span of a rank; return whether that was possible."""
        span = self._ranks[rank][self._next[rank]]
        kind = span["kind"]
        if kind == COMPUTE:
            self._add(rank, COMPUTE, span, span["cpu"])
        elif kind == "lock":
            self._add(rank, WAIT, span, 0.0)
        elif kind == "send":
            now = self._time[rank]
            self._sent[span["key"]] = now, self._departures[rank].leave(span["bytes"], now)
            self._add(rank, COMMUNICATE, span, self._cost(span, 0.0))
        elif kind == "receive":
            if span["key"] not in self._sent:
                return False
            sent, leaves = self._sent[span["key"]]
            self._add(rank, WAIT, span, max(0.0, sent - self._time[rank]))
            self._add(rank, COMMUNICATE, span, self._cost(span, self._time[rank] - leaves))
        else:
            return self._meet(span)
        self._next[rank] += 1
        return True

    def _meet(self, span: Mapping[str, Any]) -> bool:
        """Process a collective once all ranks have arrived at it."""
        everyone = range(len(self._ranks))
        for rank in everyone:
            position = self._next[rank]
            spans = self._ranks[rank]
            if position >= len(spans) or spans[position]["key"] != span["key"]:
                return False
        arrival = max(self._time)
        for rank in everyone:
            self._add(rank, WAIT, span, arrival - self._time[rank])
            self._add(rank, COMMUNICATE, span, self._cost(span, 0.0))
            self._next[rank] += 1
        return True

    def _add(self, rank: int, activity: str, span: Mapping[str, Any], seconds: float) -> None:
        start = self._time[rank]
        self._time[rank] = end = start + seconds
        if seconds > 0:
            bytes_ = span["bytes"] if activity == COMMUNICATE else 0
            label = span["label"] if activity == COMPUTE else ""
            self._intervals.append(
                Interval(rank, activity, span["kind"], start, end, bytes_, label)
            )


def idle_share(timeline: StepTimeline, ranks: int) -> float:
    """Return the share of all ranks' time in which they wait or have ended, 0 to 1."""
    total = ranks * timeline.seconds
    busy = sum(
        timeline.seconds_of(rank, activity)
        for rank in range(ranks)
        for activity in (COMPUTE, COMMUNICATE)
    )
    return 1 - busy / total if total else 0.0
