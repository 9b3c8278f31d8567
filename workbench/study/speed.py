"""What recipes of a search cost: latencies, energies, and which recipes a limit excludes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from workbench.cancel import CancelToken
from workbench.deploy.target import Target
from workbench.domain import Model
from workbench.domain.applicable import can_act
from workbench.errors import Cancelled
from workbench.recipe import Recipe, Structure
from workbench.study.candidates import REMOVED
from workbench.study.choices import cost_order, relative_work
from workbench.study.goal import Goal
from workbench.study.latency import expected_seconds, measured_cost
from workbench.study.trial import Cost, Trial
from workbench.training.compress import compress

MAX_TIMED = 6
"""How many recipes are timed to find one that is fast enough."""
FIND_SHARE = 0.35
"""The share of the time after which no more numbers of channels are timed."""


@dataclass
class Speed:
    """Times recipes, and knows which are too slow for the limit, or take too much energy.

    Attributes
    ----------
    model, goal, target, cancel
        As for the search.
    end : float
        The value of `time.monotonic` when the time is up.
    costs : dict
        The latency of one example by file, and its energy if that has a limit.
    seconds : float
        How long it takes to measure a cost: to export the file, to confirm and to time it.
    removed : float
        The fraction of channels that recipes must lose to be fast enough.
    """

    model: Model
    goal: Goal
    target: Target | None
    cancel: CancelToken
    end: float
    costs: dict[str, Cost] = field(default_factory=dict)
    seconds: float = 0.0
    removed: float = 0.0

    @property
    def counts(self) -> bool:
        """Whether costs are measured."""
        return self.target is not None or self.goal.limits_cost

    @property
    def _remaining(self) -> float:
        return self.end - time.monotonic()

    def begin(self, slowness: float) -> None:
        """Estimate how long a measurement takes.

        Parameters
        ----------
        slowness
            How many seconds pass in one of the processor.
        """
        self.seconds = slowness * expected_seconds(self.target)

    def time(self, trial: Trial) -> Cost | None:
        """Return the cost of a trial, measured unless it is known; None if the time is up."""
        if trial.file not in self.costs:
            cost = self.of(trial.recipe)
            if cost is None:
                return None
            self.costs[trial.file] = cost
        return self.costs[trial.file]

    def of(self, recipe: Recipe) -> Cost | None:
        """Return the cost of the file of a recipe; None if it takes longer than what remains."""
        self.cancel.check()
        if self._remaining < self.seconds:
            return None
        begin = time.monotonic()
        token = CancelToken(lambda: self.cancel.cancelled or self._remaining < 0)
        try:
            artifact, energy = compress(self.model, recipe), self.goal.max_energy_mj is not None
            return measured_cost(self.model, artifact, self.target, token, energy=energy)
        except Cancelled:
            self.cancel.check()
            return None
        finally:
            self.seconds = time.monotonic() - begin

    def find_removed(self, share: float = FIND_SHARE) -> None:
        """Find how many channels must go until one example costs little enough, by bisection.

        The limit stays without effect on what is searched if no number of channels is enough.
        """
        original = self.goal.excess(self.of(Recipe())) if self.goal.limits_cost else None
        if original is None or original <= 1:
            return
        if not can_act(self.model, "structure", "removed"):
            return
        until = time.monotonic() + share * self._remaining
        slow, fast = 0, len(REMOVED)
        width = original**-0.5  # the work of most layers is that of inputs × outputs
        middle = next((n for n, removed in enumerate(REMOVED) if 1 - removed <= width), fast - 1)
        while slow + 1 < fast:
            excess = self.goal.excess(self.of(Recipe(Structure(REMOVED[middle]))))
            if excess is None:
                return
            slow, fast = (middle, fast) if excess > 1 else (slow, middle)
            if fast < len(REMOVED):
                self.removed = REMOVED[fast]
            if time.monotonic() > until:
                return
            middle = (slow + fast) // 2

    def may_be_fast(self, recipe: Recipe) -> bool:
        """Whether a recipe does not multiply more than one that is known to be fast enough."""
        return relative_work(recipe) <= relative_work(self.narrowed(Recipe())) + 1e-9

    def narrowed(self, recipe: Recipe) -> Recipe:
        """Return a recipe that loses as many channels as it must to be fast enough."""
        if not self.removed:
            return recipe
        return replace(recipe, structure=Structure(self.removed))

    def is_fast(self, trial: Trial) -> bool:
        """Whether a trial is known to cost little enough; True without a limit."""
        return cost_order(self.goal, trial, self.costs) == 0

    def time_until_fast(self, ranking: Sequence[Trial]) -> None:
        """Time recipes until one is fast enough, the best of those first that may be.

        Without a limit, only the best is timed.
        """
        for trial in self._candidates(ranking) if self.counts else ():
            if self.time(trial) is None or self.is_fast(trial):
                return

    def _candidates(self, ranking: Sequence[Trial]) -> list[Trial]:
        """Return recipes to time: the best, then those that meet the limits, the fastest first."""
        known = [trial for trial in ranking if trial.file]
        known.sort(key=lambda trial: not self.may_be_fast(trial.recipe))
        if not known:
            return []
        meeting = [trial for trial in known[1:] if self.goal.meets(trial)]
        fast = sorted(meeting, key=lambda trial: relative_work(trial.recipe))
        return [known[0], *fast][:MAX_TIMED]
