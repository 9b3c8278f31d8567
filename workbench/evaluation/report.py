"""The report: everything measured for a model and a recipe. Plain data, readable without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from workbench.artifact.ledger import Ledger
from workbench.errors import WorkbenchError
from workbench.evaluation.reason import Reason
from workbench.recipe import Recipe

FIGURES = frozenset(
    {
        "accuracy",
        "accuracy_low",
        "accuracy_high",
        "population_low",
        "population_high",
        "recall",
        "f1",
    }
)
"""What is known of every classifier; until it is measured, each is None."""


@dataclass(frozen=True)
class Size:
    """What is known of a file without running it.

    `bytes` is the file's length and `digest` the SHA-256 inside it, empty until the file's bytes
    are written; `original_bytes` is the length of the original as a file. `sparsity_requested` and
    `sparsity_achieved` are shares of the weights of all layers, in the shapes that the file has: of
    those that pruning was asked to make zero, and of those that decode to zero. `parameters` counts
    the stored values of parameters, `nonzero` those that are not zero, `macs` the multiply-adds of
    one example, `peak_memory` bytes of weights and activations over a batch of 64. `training` says
    what training this file took where it was trained: seconds and examples per second.
    `structure` says what structured pruning was asked for and did, as shares of the original's:
    ``channels_asked``, ``channels_removed``, ``weights_removed`` and ``macs_removed``.
    """

    digest: str
    bytes: int
    original_bytes: int
    sparsity_requested: float
    sparsity_achieved: float
    parameters: int
    nonzero: int
    macs: int
    peak_memory: int
    ledger: Ledger
    reasons: tuple[Reason, ...]
    training: dict[str, float] | None = None
    structure: dict[str, float] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            **{one.name: getattr(self, one.name) for one in fields(self)},
            "ledger": self.ledger.as_dict(),
            "reasons": [reason.as_dict() for reason in self.reasons],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Size:
        """Read what `as_dict` wrote."""
        ledger = Ledger.from_dict(data["ledger"])
        reasons = tuple(Reason(**reason) for reason in data["reasons"])
        return cls(**{**data, "ledger": ledger, "reasons": reasons})


@dataclass(frozen=True)
class Score:
    """How good a file's predictions are on one split, in whole or so far.

    `value` is the figure of the task's `metric` over the `examples` judged of `total`; `low` and
    `high` bound that of the whole split at 95 % and are equal when it is known. `figures` are all
    figures by name, among them, where classes are predicted, ``accuracy``, macro ``recall`` and
    macro ``f1``, and ``population_low`` and ``population_high``, the Wilson 95 % interval of the
    accuracy on new examples; `confusion` then counts true by predicted class. It is empty where
    there are more than 256 classes: `changes` counts the pairs that occur. `not_finite` counts the
    examples whose outputs are no finite numbers, and `broken` holds the weights that are none, each
    with the kind of its reason.
    """

    metric: str
    value: float
    low: float
    high: float
    examples: int
    total: int
    figures: Mapping[str, float]
    confusion: tuple[tuple[int, ...], ...] = ()
    not_finite: int = 0
    broken: Mapping[str, str] = field(default_factory=dict)

    @property
    def exact(self) -> bool:
        """Whether every example of the split was judged."""
        return self.examples == self.total

    @property
    def accuracy(self) -> float:
        """The share of right predictions.

        Raises
        ------
        WorkbenchError
            Where nothing is right or wrong, as where numbers are predicted.
        """
        if "accuracy" not in self.figures:
            raise WorkbenchError(
                f"There is no accuracy here: the task is measured by {self.metric}."
            )
        return self.figures["accuracy"]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON, without what is broken where nothing is."""
        plain = {one.name: getattr(self, one.name) for one in fields(self)}
        broken = plain.pop("broken")
        not_finite = plain.pop("not_finite")
        return {**plain, "not_finite": not_finite, "broken": dict(broken)} if not_finite else plain

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Score:
        """Read what `as_dict` wrote."""
        return cls(**{**data, "confusion": tuple(tuple(row) for row in data["confusion"])})


@dataclass(frozen=True)
class Report:
    """What was measured for a model and a recipe on a split.

    `score` is None while only the size is known; `latency` is None unless it was timed: for
    batches of 1 and 64 the median and deciles in milliseconds, on which device and threads.
    `training_seconds` is what training the original took. The fields of `size` and `score` can
    be read from the report itself: `report.bytes`, `report.accuracy`. Where `stands_for` is set,
    this is the plain version of that recipe, shown while its own file is being made.
    """

    task: str
    model: str
    recipe: Recipe
    split: str
    size: Size
    score: Score | None
    training_seconds: float | None = None
    latency: dict[str, Any] | None = None
    preview_of: Recipe | None = None

    def __getattr__(self, name: str) -> Any:
        if name in Size.__dataclass_fields__:
            return getattr(self.size, name)
        if name in Score.__dataclass_fields__:
            return None if self.score is None else getattr(self.score, name)
        if self.score is not None and name in self.score.figures:
            return self.score.figures[name]
        if self.score is None and name in FIGURES:
            return None
        raise AttributeError(f"a report has no {name!r}")

    @property
    def exact(self) -> bool:
        """Whether the accuracy is that of every example of the split."""
        return self.score is not None and self.score.exact

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON: one flat object."""
        return {
            "task": self.task,
            "model": self.model,
            "split": self.split,
            "recipe": self.recipe.as_dict(),
            **self.size.as_dict(),
            **(self._flat(self.score) if self.score else {}),
            "reasons": [reason.text for reason in self.size.reasons],
            "training_seconds": self.training_seconds,
            "latency_ms": self.latency,
        }

    @staticmethod
    def _flat(score: Score) -> dict[str, Any]:
        plain = score.as_dict()
        return {**plain.pop("figures"), **plain}

    def __repr__(self) -> str:
        found = "…"
        if self.score is not None:
            found = f"{self.score.metric} {self.score.value:.4f} of {self.score.examples:,}"
        return f"<Report {self.model} {self.size.bytes:,} bytes, {self.split} {found}>"
