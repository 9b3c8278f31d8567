"""One recipe of a study and what its measurement gave, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Any, cast

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
UNTIMED = "untimed"
"""Evaluated on every example, but its time or energy was not measured; `sentence` says why."""
FAILED = "failed"
"""The recipe does not fit the model, or could not be computed; `sentence` says why."""
STATES = frozenset({EXACT, DOMINATED, UNLIKELY, TOO_LARGE, BELOW_LIMIT, UNTIMED, FAILED})


@dataclass(frozen=True)
class Cost:
    """What one example costs.

    Attributes
    ----------
    milliseconds : float or None
        Of the fastest call in a study, which compares files by it, and the median of repeated calls
        in `wb.optimize`; None if it was not measured.
    energy : Energy or None
        The energy, if it was measured.
    busy : bool
        Whether other work of the machine disturbed the runs, so that they took longer.
    sentence : str
        Why nothing could be measured.
    """

    milliseconds: float | None = None
    energy: Energy | None = None
    busy: bool = False
    sentence: str = ""

    @property
    def millijoules(self) -> float | None:
        """The energy in millijoules, or None."""
        joules = None if self.energy is None else self.energy.joules
        return None if joules is None else 1000 * joules

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return asdict(self) | {"energy": None if self.energy is None else self.energy.as_dict()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Cost:
        """Inverse of `as_dict`."""
        energy = data["energy"]
        return cls(**{**data, "energy": None if energy is None else Energy.from_dict(energy)})


UNKNOWN = Cost()


@dataclass(frozen=True)
class Trial:
    """A recipe and its measurement.

    Attributes
    ----------
    recipe : Recipe
    state : str
        ``exact``, ``dominated``, ``unlikely``, ``below_limit``, ``too_large``, ``untimed`` or
        ``failed``.
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
    cost : Cost
        What one example costs, if the study measures it.
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
    cost: Cost = UNKNOWN
    correct: Bits = field(default=b"", repr=False)

    @cached_property
    def key(self) -> str:
        """The recipe as JSON."""
        return self.recipe.to_json()

    @property
    def exact(self) -> bool:
        """Whether the value is exact."""
        return self.state == EXACT

    def amounts(self, objectives: Sequence[str]) -> tuple[float, ...]:
        """Return the bytes, milliseconds or millijoules of each objective; none if one is unknown.

        Parameters
        ----------
        objectives
            Names of `workbench.study.objectives.OBJECTIVES`.
        """
        amounts = tuple(map(self._amount, objectives))
        return () if None in amounts else cast("tuple[float, ...]", amounts)

    def _amount(self, objective: str) -> float | None:
        if objective == "bytes":
            return self.bytes or None
        return self.cost.milliseconds if objective == "latency" else self.cost.millijoules

    def with_cost(self, cost: Cost) -> Trial:
        """Return the trial with what one example of its file costs."""
        if not cost.sentence:
            return replace(self, cost=cost)
        return replace(self, cost=cost, state=UNTIMED, sentence=cost.sentence)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON, without the bits of single examples."""
        left_out = {"correct", "cost"} if self.cost == UNKNOWN else {"correct"}
        data = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in left_out}
        data["recipe"] = self.recipe.as_dict()
        return data if self.cost == UNKNOWN else data | {"cost": self.cost.as_dict()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Trial:
        """Inverse of `as_dict`.

        Raises
        ------
        KeyError, TypeError, ValueError
            If a field is missing, unknown or of another type.
        """
        cost = Cost.from_dict(data["cost"]) if "cost" in data else UNKNOWN
        trial = cls(**{**data, "recipe": Recipe.from_json(data["recipe"]), "cost": cost})
        metrics = (trial.value, trial.possible, trial.first, trial.accuracy)
        numbers = [*filter(lambda value: value is not None, metrics), trial.bytes, trial.examples]
        if trial.state not in STATES or not all(isinstance(n, int | float) for n in numbers):
            raise ValueError("This is not a trial.")
        return trial
