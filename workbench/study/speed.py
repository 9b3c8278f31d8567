"""How fast the recipes of a search are: latencies, and which recipes a limit excludes."""

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
from workbench.study.goal import Goal
from workbench.study.latency import expected_seconds, latency_ms
from workbench.study.trial import Trial
from workbench.training.compress import compress

MAX_TIMED = 6
"""How many recipes are timed to find one that is fast enough."""
FIND_SHARE = 0.35
"""The share of the time after which no more numbers of channels are timed."""


@dataclass
class Speed:
    """Times recipes, and knows which are too slow for the limit.

    Attributes
    ----------
    model, goal, target, cancel
        As for the search.
    end : float
        The value of `time.monotonic` when the time is up.
    latencies : dict
        Milliseconds of one example by file.
    seconds : float
        How long it takes to measure a latency: to export the file, to confirm and to time it.
    removed : float
        The fraction of channels that recipes must lose to be fast enough.
    """

    model: Model
    goal: Goal
    target: Target | None
    cancel: CancelToken
    end: float
    latencies: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    removed: float = 0.0

    @property
    def counts(self) -> bool:
        """Whether latencies are measured."""
        return self.target is not None or self.goal.max_latency_ms is not None

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

    def time(self, trial: Trial) -> float | None:
        """Return the latency of a trial, measured unless it is known; None if the time is up."""
        if trial.file not in self.latencies:
            milliseconds = self.of(trial.recipe)
            if milliseconds is None:
                return None
            self.latencies[trial.file] = milliseconds
        return self.latencies[trial.file]

    def of(self, recipe: Recipe) -> float | None:
        """Return the latency of the file of a recipe; None if it takes longer than what remains."""
        self.cancel.check()
        if self._remaining < self.seconds:
            return None
        begin = time.monotonic()
        token = CancelToken(lambda: self.cancel.cancelled or self._remaining < 0)
        try:
            return latency_ms(self.model, compress(self.model, recipe), self.target, token)
        except Cancelled:
            self.cancel.check()
            return None
        finally:
            self.seconds = time.monotonic() - begin

    def find_removed(self, share: float = FIND_SHARE) -> None:
        """Find how many channels must go until one example is fast enough, by bisection.

        The limit stays without effect on what is searched if no number of channels is enough.
        """
        limit = self.goal.max_latency_ms
        original = None if limit is None else self.of(Recipe())
        if limit is None or original is None or original <= limit:
            return
        if not can_act(self.model, "structure", "removed"):
            return
        until = time.monotonic() + share * self._remaining
        slow, fast = 0, len(REMOVED)
        width = (limit / original) ** 0.5  # the work of most layers is that of inputs × outputs
        middle = next((n for n, removed in enumerate(REMOVED) if 1 - removed <= width), fast - 1)
        while slow + 1 < fast:
            milliseconds = self.of(Recipe(Structure(REMOVED[middle])))
            if milliseconds is None:
                return
            slow, fast = (middle, fast) if milliseconds > limit else (slow, middle)
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

    def order(self, trial: Trial) -> int:
        """Return 0 for a trial that is fast enough, 1 for one that is not, 2 if it is unknown."""
        limit, latency = self.goal.max_latency_ms, self.latencies.get(trial.file)
        if limit is None:
            return 0
        return 2 if latency is None else int(latency > limit)

    def is_fast(self, trial: Trial) -> bool:
        """Whether a trial is known to be fast enough; True without a limit."""
        return self.order(trial) == 0

    def time_until_fast(self, ranking: Sequence[Trial]) -> None:
        """Time recipes until one is fast enough, the best of those first that may be.

        Without a limit, only the best is timed.
        """
        for trial in self._candidates(ranking) if self.counts else ():
            milliseconds = self.time(trial)
            if milliseconds is None or self.is_fast(trial):
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


def relative_work(recipe: Recipe) -> float:
    """Return about how much of the original's multiplications a recipe keeps."""
    removed = recipe.structure.removed if recipe.structure is not None else 0.0
    width = recipe.train.width if recipe.train is not None else 1.0
    return float((1 - removed) ** 2 * width**2)
