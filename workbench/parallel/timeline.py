"""When each rank computes, communicates and waits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

COMPUTE, COMMUNICATE, WAIT = "compute", "communicate", "wait"
RankSteps = Sequence[Mapping[str, Any]]
"""The timed steps of one rank: ``step`` and its ``spans``."""


@dataclass(frozen=True)
class Interval:
    """What one rank does from `start` to `end`, in seconds from the start of the step.

    Attributes
    ----------
    activity : str
        ``compute``, ``communicate`` or ``wait``.
    kind : str
        The collective, ``send``, ``receive`` or ``lock``; ``compute`` else.
    bytes : int
        The payload of a communication.
    label : str
        The microbatch of a pipeline, such as ``F0``.
    """

    rank: int
    activity: str
    kind: str
    start: float
    end: float
    bytes: int = 0
    label: str = ""


@dataclass(frozen=True)
class StepTimeline:
    """One optimizer step of all ranks."""

    step: int
    intervals: tuple[Interval, ...]

    @property
    def seconds(self) -> float:
        """The longest time that a rank takes from its start to its end."""
        ends: dict[int, float] = {}
        starts: dict[int, float] = {}
        for each in self.intervals:
            ends[each.rank] = max(ends.get(each.rank, each.end), each.end)
            starts[each.rank] = min(starts.get(each.rank, each.start), each.start)
        return max((end - starts[rank] for rank, end in ends.items()), default=0.0)

    def seconds_of(self, rank: int, activity: str) -> float:
        """Return how long a rank did something."""
        return sum(
            interval.end - interval.start
            for interval in self.intervals
            if interval.rank == rank and interval.activity == activity
        )


def timelines(ranks: Sequence[RankSteps], *, aligned: bool) -> tuple[StepTimeline, ...]:
    """Return the timed steps of all ranks.

    Parameters
    ----------
    aligned
        Whether each rank's time starts with its own step, because ranks without synchronization are
        at different steps at the same time. Otherwise the ranks have one clock.
    """
    numbers = range(len(ranks[0]))
    return tuple(_timeline([steps[n] for steps in ranks], aligned=aligned) for n in numbers)


def _timeline(steps: Sequence[Mapping[str, Any]], *, aligned: bool) -> StepTimeline:
    spans = [step["spans"] for step in steps]
    starts = [min((span["start"] for span in each), default=0.0) for each in spans]
    origins = starts if aligned else [min(starts)] * len(starts)
    arrivals = last_arrivals(span for each in spans for span in each)
    intervals = [
        interval
        for rank, each in enumerate(spans)
        for span in each
        for interval in _intervals(rank, span, arrivals.get(span["key"], 0.0), origins[rank])
    ]
    return StepTimeline(steps[0]["step"] + 1, tuple(intervals))


def last_arrivals(spans: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Return for each communication when its last rank arrives."""
    arrivals: dict[str, float] = {}
    for span in spans:
        if span["key"]:
            arrivals[span["key"]] = max(arrivals.get(span["key"], 0.0), span["start"])
    return arrivals


def _intervals(rank: int, span: Mapping[str, Any], arrival: float, origin: float) -> list[Interval]:
    kind, start, end = span["kind"], span["start"] - origin, span["end"] - origin
    if kind == COMPUTE:
        return [Interval(rank, COMPUTE, kind, start, end, label=span["label"])]
    if kind == "lock":
        return [Interval(rank, WAIT, kind, start, end)]
    ready = min(max(arrival - origin, start), end)
    if kind == "send":  # it waits for no rank
        ready = start
    waiting = [Interval(rank, WAIT, kind, start, ready)] if ready > start else []
    return [*waiting, Interval(rank, COMMUNICATE, kind, ready, end, span["bytes"])]
