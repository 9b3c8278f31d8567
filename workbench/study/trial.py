"""One recipe of a study and what its measurement gave, as plain data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from workbench.domain.metric import Metric
from workbench.profiling.energy.energy import Energy
from workbench.recipe import Recipe

Bits = bytes
"""A bit for each example of the validation split, in its order."""

EXACT = "exact"
"""Evaluated on every example of the validation split."""
DOMINATED = "dominated"
"""Certainly no better than a file that is at most as large, so the evaluation ended early."""
UNLIKELY = "unlikely"
"""So with a probability of 99 %, from an estimate; checked before a front is reported."""
TOO_LARGE = "too_large"
"""Above the limit on the bytes, so that nothing was evaluated."""
BELOW_LIMIT = "below_limit"
"""The metric cannot reach the limit on it, or does with a probability below 0.01 %."""
FAILED = "failed"
"""The recipe does not fit the model, or could not be computed; `sentence` says why."""


@dataclass(frozen=True)
class Cost:
    """What one example costs.

    Attributes
    ----------
    milliseconds : float or None
        The median of repeated runs, if it was measured.
    energy : Energy or None
        The energy, if it was measured.
    busy : bool
        Whether other work of the machine disturbed the runs, so that they took longer.
    """

    milliseconds: float | None = None
    energy: Energy | None = None
    busy: bool = False

    @property
    def millijoules(self) -> float | None:
        """The energy in millijoules, or None."""
        joules = None if self.energy is None else self.energy.joules
        return None if joules is None else 1000 * joules


@dataclass(frozen=True)
class Trial:
    """A recipe and its measurement.

    Attributes
    ----------
    recipe : Recipe
    state : str
        ``exact``, ``dominated``, ``unlikely``, ``below_limit``, ``too_large`` or ``failed``.
    bytes : int
        The length of the file; 0 if there is none.
    file : str
        The SHA-256 of the file; empty if it was not needed.
    value : float or None
        The task's metric on validation: exact, or the estimate so far.
    possible : float or None
        Of an unlikely trial, the better end of the interval at 99.99 %.
    first : float or None
        The first estimate, or the exact value if there was none. It does not depend on other
        trials.
    accuracy : float or None
        The exact accuracy, of a task that has one.
    examples, total : int
        How many examples were evaluated, and those of the split.
    seconds, compress_seconds : float
        The time of the measurement, and of making the file.
    sentence : str
        Why it failed.
    correct : Bits
        A bit for each example that was predicted correctly; empty if unknown.
    """

    recipe: Recipe
    state: str
    bytes: int = 0
    file: str = ""
    value: float | None = None
    possible: float | None = None
    first: float | None = None
    accuracy: float | None = None
    examples: int = 0
    total: int = 0
    seconds: float = 0.0
    compress_seconds: float = 0.0
    sentence: str = ""
    correct: Bits = field(default=b"", repr=False)

    @cached_property
    def key(self) -> str:
        """The recipe as JSON."""
        return self.recipe.to_json()

    @property
    def exact(self) -> bool:
        """Whether the value is exact."""
        return self.state == EXACT

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON, without the bits of single examples."""
        data = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "correct"}
        return data | {"recipe": self.recipe.as_dict()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Trial:
        """Inverse of `as_dict`."""
        return cls(**{**data, "recipe": Recipe.from_json(data["recipe"])})


def pareto_front(trials: Iterable[Trial], metric: Metric) -> list[Trial]:
    """Return the exact trials that no other dominates, the smallest file first.

    Of several with equal bytes and value, the first is returned.

    Parameters
    ----------
    trials
        All trials; those that are not exact are ignored.
    metric
        Of the task.
    """
    front: list[Trial] = []
    exact = [trial for trial in trials if trial.exact]
    for trial in sorted(exact, key=lambda t: (t.bytes, -metric.sort_key(t.value))):
        if not front or metric.sort_key(trial.value) > metric.sort_key(front[-1].value):
            front.append(trial)
    return front
