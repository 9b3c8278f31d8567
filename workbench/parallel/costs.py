"""How long communications last on the simulated clock of a replay, from measured ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from workbench.parallel.link import Departures, Link
from workbench.parallel.timeline import RankSteps, last_arrivals

Span = Mapping[str, Any]
Size = tuple[str, int]
"""The kind of a communication and its bytes."""
Cost = Callable[[Span, float], float]
"""Called with a communication and the seconds since all of its ranks have arrived, or since its
message has left; returns how long it still lasts."""
ARRIVED = 2
"""A message counts as already arrived if receiving it takes at most this many times as long as
receiving a message that had certainly arrived."""


@dataclass
class _Messages:
    """The messages of one size.

    Attributes
    ----------
    expected : list of float
        For messages whose receiver was already waiting when they left: the seconds from leaving
        until they were received.
    late : list of (float, float)
        For the others: the seconds from leaving until the receiver asked, and the seconds that
        receiving took.
    """

    expected: list[float] = field(default_factory=list)
    late: list[tuple[float, float]] = field(default_factory=list)

    def travels(self) -> tuple[list[float], float]:
        """Return the travel time of each message, and the shortest time that receiving one takes.

        A message that had already arrived when the receiver asked is given the usual travel time,
        or the time until the receiver asked, if that is shorter.
        """
        usual = median(self.expected or [seconds for _since, seconds in self.late])
        arrived = [seconds for since, seconds in self.late if since >= usual]
        least = min(median(arrived), usual) if arrived else 0.0
        late = [
            since + seconds if seconds > ARRIVED * least else min(since, usual)
            for since, seconds in self.late
        ]
        return self.expected + late, least


def typical_costs(
    ranks: Sequence[RankSteps], typical: Callable[[Sequence[float]], float], link: Link
) -> Cost:
    """Return the typical seconds of a communication by its kind and size.

    A collective lasts until the last rank has its result: the root of a broadcast, for example,
    goes on earlier than the others, but the next communication begins when the last rank arrives. A
    message travels while its receiver computes.

    Parameters
    ----------
    typical
        Returns one of several durations, such as their mean.
    link
        The simulated link, on which messages of a rank leave one after the other.
    """
    lasting: dict[Size, list[float]] = defaultdict(list)
    messages: dict[Size, _Messages] = defaultdict(_Messages)
    for number in range(len(ranks[0])):
        spans = [span for steps in ranks for span in steps[number]["spans"] if span["key"]]
        arrivals = last_arrivals(spans)
        departures = _departure_times([steps[number]["spans"] for steps in ranks], link)
        ends: dict[str, float] = {}
        for span in spans:
            ends[span["key"]] = max(ends.get(span["key"], 0.0), span["end"])
        for span in spans:
            key, size = span["key"], (span["kind"], span["bytes"])
            seconds = span["end"] - span["start"]
            if span["kind"] == "receive":
                since = span["start"] - departures[key]
                if since > 0:
                    messages[size].late.append((since, seconds))
                else:
                    messages[size].expected.append(seconds + since)
            else:
                last = ends[key] - arrivals[key]
                lasting[size].append(seconds if span["kind"] == "send" else max(0.0, last))
    costs = {size: typical(values) for size, values in lasting.items()}
    travels = {size: each.travels() for size, each in messages.items()}

    def cost(span: Span, since: float) -> float:
        size = span["kind"], span["bytes"]
        if size in costs:
            return costs[size]
        seconds, least = travels[size]
        return typical([max(each - since, least) for each in seconds])

    return cost


def _departure_times(ranks: Sequence[Sequence[Span]], link: Link) -> dict[str, float]:
    """Return when each message of a step left."""
    times = {}
    for spans in ranks:
        departures = Departures(link)
        for span in spans:
            if span["kind"] == "send":
                times[span["key"]] = departures.leave(span["bytes"], span["start"])
    return times
