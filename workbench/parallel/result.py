"""The result of a parallel training run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from workbench.display import Displayable
from workbench.parallel.link import sent_bytes
from workbench.parallel.plan import Plan
from workbench.parallel.replay import idle_share
from workbench.parallel.timeline import COMPUTE, StepTimeline


@dataclass(frozen=True)
class Record:
    """The weights of a rank after a step.

    Attributes
    ----------
    rank : int
        -1 for the single-process run.
    step : int
        0 before the first.
    digest : str
        SHA-256 (hex) of all weights that the rank sees.
    distance : float or None
        Relative L2 distance from the weights of the single-process run after the same step; None if
        it is not finite.
    accuracy : float or None
        On a random sample of the validation split, 0 to 1: an estimate. None for numbers.
    sample_loss : float
        The loss on that sample.
    not_finite_step : int or None
        The first step, up to this one, with a loss or weights of the rank that are not finite.
    """

    rank: int
    step: int
    digest: str
    distance: float | None
    accuracy: float | None
    sample_loss: float
    not_finite_step: int | None = None


@dataclass(frozen=True)
class RankResult:
    """What one rank measured.

    Attributes
    ----------
    held : dict
        Bytes of ``weights``, ``gradients`` and ``optimizer``, counted from storages.
    formula : dict or None
        The same by the formula; None if there is none.
    payload : dict
        Bytes handed over per step by kind of communication, averaged over the timed steps.
    memory : int
        Bytes of memory of the process.
    """

    rank: int
    digest: str
    held: Mapping[str, int]
    formula: Mapping[str, int] | None
    payload: Mapping[str, float]
    memory: int


@dataclass(frozen=True)
class ParallelTraining(Displayable):
    """A training run on several ranks, next to the same run on one process.

    Attributes
    ----------
    model : str
        The name of the model.
    plan : Plan
        The settings of the run.
    ranks : tuple of RankResult
        What each rank measured.
    records : tuple of Record
        Of all ranks, and of the single-process run with the rank -1.
    timelines, replays : tuple of StepTimeline
        The last steps by the wall clock, and on a simulated clock with one core per rank. There is
        no replay if ranks share weights, because the order of their updates depends on timing.
    gradient_difference : float or None
        Relative L2 difference of the first gradient from that of one process; None if the ranks do
        not share one gradient.
    digests : tuple of str
        For each repeat, the digest of the weights at the end; of rank 0 if they differ.
    lost_updates : tuple of int or None
        Lost and all increments of a shared number, for ranks that share weights.
    accuracy : tuple of float
        The exact value of the task's metric on the validation split, of each distinct replica;
        empty if it was not requested.
    baseline_accuracy : float or None
        Of the single-process run.
    seconds_per_step, baseline_seconds_per_step : float
        Medians by the wall clock.
    first_step_seconds : float
        From the call to the first step of the ranks, without the single-process run.
    communicated_formula : dict or None
        Payload per step by kind and formula.
    cores : int
        Of this machine.
    reason : str
        One sentence: why it is as fast or as slow as it is.
    """

    _plots = "parallel"

    model: str
    plan: Plan
    ranks: tuple[RankResult, ...]
    records: tuple[Record, ...]
    timelines: tuple[StepTimeline, ...]
    replays: tuple[StepTimeline, ...]
    gradient_difference: float | None
    digests: tuple[str, ...]
    lost_updates: tuple[int, int] | None
    accuracy: tuple[float, ...]
    baseline_accuracy: float | None
    seconds_per_step: float
    baseline_seconds_per_step: float
    first_step_seconds: float
    communicated_formula: Mapping[str, float] | None
    cores: int
    reason: str = ""

    def __repr__(self) -> str:
        same = "equal" if self.consistent else "different"
        return (
            f"<ParallelTraining {self.model}: {self.plan.strategy} on {self.plan.ranks} ranks, "
            f"{same} weights>"
        )

    @property
    def consistent(self) -> bool:
        """Whether all ranks have the same weights at the end, bit by bit."""
        return len({rank.digest for rank in self.ranks}) == 1

    @property
    def reproducible(self) -> bool | None:
        """Whether all repeats ended with the same weights; None without repeats."""
        return len(set(self.digests)) == 1 if len(self.digests) > 1 else None

    @property
    def distance(self) -> float:
        """The largest distance of a rank from the single-process run at the end."""
        last = [r.distance for r in self.records if r.step == self.plan.steps and r.rank >= 0]
        return max((value for value in last if value is not None), default=0.0)

    @property
    def replay_seconds_per_step(self) -> float | None:
        """The mean of the replayed steps; None if there are none."""
        return fmean(step.seconds for step in self.replays) if self.replays else None

    @property
    def replay_error(self) -> float | None:
        """The replay relative to the wall clock, minus 1; None with more ranks than cores.

        Means of the same steps are compared: communications of average length add up to an average
        step, and a median step leaves out the long ones.
        """
        replayed = self.replay_seconds_per_step
        measured = fmean(step.seconds for step in self.timelines)
        if replayed is None or self.plan.ranks > self.cores or not measured:
            return None
        return replayed / measured - 1

    @property
    def computing_share(self) -> float:
        """The share of the ranks' time by the wall clock in which they compute."""
        total = sum(step.seconds for step in self.timelines) * self.plan.ranks
        computing = sum(
            step.seconds_of(rank, COMPUTE)
            for step in self.timelines
            for rank in range(self.plan.ranks)
        )
        return computing / total if total else 0.0

    @property
    def replayed_seconds(self) -> tuple[float, ...]:
        """How long each rank computes in a replayed step: medians."""
        return tuple(
            median(step.seconds_of(rank, COMPUTE) for step in self.replays)
            for rank in range(self.plan.ranks)
        )

    @property
    def idle_share(self) -> float | None:
        """The share of the ranks' time in which they wait, replayed; None if they race."""
        if not self.replays:
            return None
        return median(idle_share(step, self.plan.ranks) for step in self.replays)

    def sent_bytes(self, rank: int) -> dict[str, float]:
        """Return the bytes that a rank sends per step by the ring algorithms, by kind."""
        return {
            kind: sent_bytes(kind, round(payload), self.plan.ranks)
            for kind, payload in self.ranks[rank].payload.items()
        }


def payload_per_step(steps: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the bytes that a rank hands over per step, by kind."""
    totals: dict[str, int] = {}
    for step in steps:
        for span in step["spans"]:
            if span["bytes"] and span["kind"] != "receive":
                totals[span["kind"]] = totals.get(span["kind"], 0) + span["bytes"]
    return {kind: total / len(steps) for kind, total in totals.items()}
