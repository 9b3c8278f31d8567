"""What a study has measured so far."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.display import Displayable
from workbench.domain.metric import Metric
from workbench.i18n import _, plural
from workbench.study.front import pareto_front
from workbench.study.objectives import OBJECTIVES
from workbench.study.trial import FAILED, Trial

if TYPE_CHECKING:
    from workbench.study.study import Study


@dataclass(frozen=True, eq=False)
class StudyResult(Displayable):
    """The trials of a study.

    Attributes
    ----------
    study : Study
    trials : tuple of Trial
        In the order in which they were proposed.
    metric : Metric
        Of the task.
    original : tuple of int and float
        The bytes of the file of the original model without compression, and its metric.
    examples, total : int
        How many examples were evaluated for all of them, and those of the validation split.
    known : int
        How many of the first trials are results of earlier work, for which nothing was evaluated.
    """

    _plots = "study"
    _columns = ("state", "bytes", "value", "examples", "seconds", "recipe")

    study: Study
    trials: tuple[Trial, ...]
    metric: Metric
    original: tuple[int, float]
    examples: int
    total: int
    known: int = 0

    @cached_property
    def front(self) -> tuple[Trial, ...]:
        """The exact trials that no other dominates, those with the least cost first.

        Times and energies within 10 % count as equal, see `workbench.study.front`. A file that was
        timed while the machine was busy is faster than its time says, and may be missing here.
        """
        return tuple(pareto_front(self.trials, self.metric, self.study.objectives))

    @property
    def saved(self) -> float:
        """The fraction of evaluations that was saved: of all examples for all files.

        Results that were known before do not count. It is negative if more was measured again,
        exactly, than had been saved.
        """
        files = sum(trial.state != FAILED for trial in self.trials) - self.known
        return 1 - self.examples / (files * self.total) if files > 0 else 0.0

    @property
    def states(self) -> dict[str, int]:
        """The number of trials by state."""
        return dict(Counter(trial.state for trial in self.trials))

    @property
    def summary(self) -> str:
        """The result as a sentence or two."""
        costs = ", ".join(_(OBJECTIVES[name].label) for name in self.study.objectives)
        front = plural(
            "{count} recipe measured, {front} of them on the front of {costs} and {metric}.",
            "{count} recipes measured, {front} of them on the front of {costs} and {metric}.",
            len(self.trials),
        ).format(
            count=f"{len(self.trials):,}",
            front=len(self.front),
            costs=costs,
            metric=self.metric.label,
        )
        if self.study.is_timed:
            return formatting.paragraph([front, self._busy_sentence])
        saved = _("Stopping early saved {saved} % of the computing.").format(
            saved=max(0, round(100 * self.saved))
        )
        return f"{front} {saved}"

    @property
    def _busy_sentence(self) -> str:
        count = sum(trial.cost.busy for trial in self.trials)
        if not count:
            return ""
        return plural(
            "The machine was busy while {count} file was timed: the time is too long.",
            "The machine was busy while {count} files were timed: their times are too long.",
            count,
        ).format(count=f"{count:,}")

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "study": self.study.as_dict(),
            "digest": self.study.digest,
            "metric": self.metric.name,
            "trials": [trial.as_dict() for trial in self.trials],
            "front": [trial.as_dict() for trial in self.front],
            "saved": self.saved,
        }

    def __repr__(self) -> str:
        return f"<StudyResult {self.study.model}: {self.summary}>"
