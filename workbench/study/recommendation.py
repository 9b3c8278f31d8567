"""The recommended recipe under limits, with what was measured on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from workbench.artifact.artifact import Artifact
from workbench.display import Displayable
from workbench.domain import Model
from workbench.errors import InputError
from workbench.i18n import _
from workbench.profiling.energy.energy import Energy
from workbench.recipe import Recipe
from workbench.study.goal import Goal
from workbench.study.other_networks import OtherNetwork
from workbench.study.result import StudyResult
from workbench.study.trial import Cost, Trial
from workbench.training.compress import compress


@dataclass(frozen=True, eq=False)
class Recommendation(Displayable):
    """The best recipe under limits, measured on this model.

    Attributes
    ----------
    model : Model
        The model that the recipes compress.
    goal : Goal
        The limits.
    result : StudyResult
        All trials.
    choices : tuple of Trial
        At most three: the best, then others that meet the limits and are better in one respect. If
        no recipe meets them, the nearest one.
    costs : mapping
        What one example costs, by file, as far as it was measured.
    reasons : tuple of str
        Sentences from measurements, the most important first.
    seconds : float
        The time that it took.
    other : OtherNetwork or None
        Another network of the same task that is better under the limits: a built-in model, or a
        distilled student.
    """

    _plots = "recommendation"

    model: Model = field(repr=False)
    goal: Goal
    result: StudyResult
    choices: tuple[Trial, ...]
    costs: Mapping[str, Cost]
    reasons: tuple[str, ...]
    seconds: float
    other: OtherNetwork | None = None

    @property
    def best(self) -> Trial:
        """The first choice.

        Raises
        ------
        InputError
            If no recipe was measured in the time.
        """
        if not self.choices:
            raise InputError(
                _("No recipe was measured in this time: give more seconds."),
                code="study.too_few_seconds",
            )
        return self.choices[0]

    @property
    def recipe(self) -> Recipe:
        """The recommended recipe."""
        return self.best.recipe

    @property
    def latency_ms(self) -> float | None:
        """The milliseconds of one example of the best, if they were measured."""
        return self.cost(self.best).milliseconds

    @property
    def energy(self) -> Energy | None:
        """The energy of one example of the best, if it has a limit and was measured."""
        return self.cost(self.best).energy

    @property
    def met(self) -> bool:
        """Whether the best meets all limits."""
        return bool(self.choices) and self.goal.meets(self.best) and self.meets_costs

    @property
    def meets_costs(self) -> bool:
        """Whether latency and energy of the best meet their limits; not if one is not known."""
        excess = self.goal.excess(self.costs.get(self.best.file))
        return excess is not None and excess <= 1

    @property
    def violations(self) -> tuple[str, ...]:
        """A sentence for each limit that the best does not meet: by how much."""
        return tuple(self.goal.violations(self.best, self.costs.get(self.best.file)))

    @property
    def front(self) -> tuple[Trial, ...]:
        """The exact trials that no other dominates, the smallest file first."""
        return self.result.front

    @property
    def artifact(self) -> Artifact:
        """The compressed file of the best."""
        return compress(self.model, self.recipe)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the file of the best.

        Raises
        ------
        FileError
            If it cannot be written.
        """
        return self.artifact.save(path)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        best = self.best
        return {
            "model": self.model.name,
            "recipe": best.recipe.as_dict(),
            "bytes": best.bytes,
            "metric": self.goal.metric.name,
            "value": best.value,
            "accuracy": best.accuracy,
            "latency_ms": self.latency_ms,
            "energy": None if self.energy is None else self.energy.as_dict(),
            "met": self.met,
            "reasons": list(self.reasons),
            "front": [_point(trial) for trial in self.front],
            "choices": [
                _point(trial) | {"latency_ms": self.cost(trial).milliseconds}
                for trial in self.choices
            ],
            "other": None
            if self.other is None
            else {"model": self.other.name, **_point(self.other.trial)},
            "limits": self.goal.as_dict(),
            "digest": best.file,
            "original_bytes": self.model.original_bytes,
            "recipes": len(self.result.trials),
            "saved": self.result.saved,
            "seconds": self.seconds,
        }

    def cost(self, trial: Trial) -> Cost:
        """Return what one example costs with a recipe, as far as it was measured."""
        return self.costs.get(trial.file, Cost())

    def __repr__(self) -> str:
        best = f"{self.best.bytes:,} bytes, met: {self.met}" if self.choices else "no recipe"
        return f"<Recommendation {self.model.name}: {best}>"


def _point(trial: Trial) -> dict[str, Any]:
    return {
        "recipe": trial.recipe.as_dict(),
        "bytes": trial.bytes,
        "value": trial.value,
        "accuracy": trial.accuracy,
    }
