"""The report of a model and a recipe: plain data that can be read without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from workbench.artifact.ledger import Ledger
from workbench.display import Displayable
from workbench.domain.metric import metric_named
from workbench.errors import InputError
from workbench.evaluation.reason import Reason
from workbench.profiling.energy.energy import Energy
from workbench.recipe import Recipe
from workbench.zoo.reference import reference

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
"""Metrics of every classifier; None until they are measured."""


@dataclass(frozen=True)
class Size:
    """Properties of a file that do not require running it.

    Attributes
    ----------
    digest : str
        The SHA-256 stored in the file; empty until its bytes are computed.
    bytes, original_bytes : int
        The length of the file, and of the original as a file.
    sparsity_requested, sparsity_achieved : float
        The requested and the actual fraction of zeros in the layers, in the shapes of the file.
    parameters, nonzero : int
        The stored values of parameters, and those that are not zero.
    macs : int
        Multiply-adds per example.
    peak_memory : int
        Bytes of weights and activations for a batch of 64.
    ledger : Ledger
        The bytes of the file by tensor and purpose.
    reasons : tuple of Reason
        Why choices did not pay off, the most important first.
    training : dict, optional
        Seconds, steps, examples per second and energy, if the recipe trains.
    structure : dict, optional
        Requested and achieved structured pruning, as fractions of the original:
        ``channels_requested``, ``channels_removed``, ``weights_removed`` and ``macs_removed``.
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
    training: dict[str, Any] | None = None
    structure: dict[str, float] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            **{f.name: getattr(self, f.name) for f in fields(self)},
            "ledger": self.ledger.as_dict(),
            "reasons": [reason.as_dict() for reason in self.reasons],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Size:
        """Inverse of `as_dict`."""
        ledger = Ledger.from_dict(data["ledger"])
        reasons = tuple(map(Reason.from_dict, data["reasons"]))
        return cls(**{**data, "ledger": ledger, "reasons": reasons})


@dataclass(frozen=True)
class Score:
    """The quality of a file's predictions on one split, exact or estimated.

    Attributes
    ----------
    metric : str
        The task's metric.
    value : float
        The metric over the evaluated examples.
    low, high : float
        The 95 % confidence interval of the metric on the full split; both equal `value` if exact.
    examples, total : int
        The evaluated examples, and those of the split.
    figures : mapping
        All metrics by name. For classifiers: ``accuracy``, macro ``recall``, macro ``f1``, and
        ``population_low`` and ``population_high``, the Wilson 95 % interval of the accuracy on new
        data.
    confusion : tuple of tuple of int
        Counts of true by predicted class. Empty for more than 256 classes: `wb.compare` counts the
        pairs that occur.
    not_finite : int
        Examples whose outputs are NaN or infinite.
    broken : mapping
        The weights that cause them, each with the kind of `Reason`.
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
        """Whether every example of the split was evaluated."""
        return self.examples == self.total

    @property
    def accuracy(self) -> float:
        """The fraction of correct predictions.

        Raises
        ------
        InputError
            If the task has no accuracy, such as regression.
        """
        if "accuracy" not in self.figures:
            raise InputError(
                f"There is no accuracy: the task is measured by {metric_named(self.metric).label}.",
                code="metric.no_accuracy",
            )
        return self.figures["accuracy"]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; `not_finite` and `broken` only if an output is not finite."""
        data = {f.name: getattr(self, f.name) for f in fields(self)}
        broken = data.pop("broken")
        not_finite = data.pop("not_finite")
        return {**data, "not_finite": not_finite, "broken": dict(broken)} if not_finite else data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Score:
        """Inverse of `as_dict`."""
        return cls(**{**data, "confusion": tuple(tuple(row) for row in data["confusion"])})


@dataclass(frozen=True)
class Report(Displayable):
    """Measurements of a model and a recipe on a split.

    Fields of `size` and `score` are also attributes of the report: `report.bytes`,
    `report.accuracy`.

    Attributes
    ----------
    task, model, split : str
        The names of the task, of the model and of the split.
    recipe : Recipe
        How the file was compressed; the empty recipe for the original.
    size : Size
        The length of the file, its parameters and its multiply-adds.
    score : Score, optional
        The metric on the split, exact or an estimate with its interval; None while only the size
        is known.
    training_seconds : float, optional
        How long training the original took.
    latency : dict, optional
        The median and deciles in milliseconds for batches of 1 and 64, with device and threads, and
        the energy of 1,000 examples; None if not timed.
    preview_of : Recipe, optional
        The recipe whose baseline version this report measures, while the recipe is computed.

    Examples
    --------
    >>> import workbench as wb
    >>> model = wb.model("fashion/mlp-32")
    >>> report = wb.measure(model, wb.Recipe(wb.Quantize(4)), split="test", timed=False)
    >>> report.split, report.bytes == len(wb.compress(model, report.recipe))
    ('test', True)
    """

    _plots = "report"

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
        raise AttributeError(f"A report has no attribute {name!r}.")

    @property
    def exact(self) -> bool:
        """Whether every example of the split was evaluated."""
        return self.score is not None and self.score.exact

    @property
    def training_energy(self) -> Energy | None:
        """The energy of training the file; None if the recipe does not train."""
        return _energy(self.size.training)

    @property
    def inference_energy(self) -> Energy | None:
        """The energy of 1,000 examples in batches of 64; None if not timed."""
        return _energy(self.latency)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON: one flat object."""
        return {
            "task": self.task,
            "model": self.model,
            "split": self.split,
            "recipe": self.recipe.as_dict(),
            **self.size.as_dict(),
            **(self._flat(self.score) if self.score else {}),
            "reasons": [reason.about(reference(self.model)) for reason in self.size.reasons],
            "training_seconds": self.training_seconds,
            "latency_ms": self.latency,
        }

    @staticmethod
    def _flat(score: Score) -> dict[str, Any]:
        data = score.as_dict()
        return {**data.pop("figures"), **data}

    def __repr__(self) -> str:
        result = "…"
        if self.score is not None:
            metric = metric_named(self.score.metric)
            result = f"{metric.label} {metric.format(self.score.value)} of {self.score.examples:,}"
        return f"<Report {self.model} {self.size.bytes:,} bytes, {self.split} {result}>"


def _energy(measured: Mapping[str, Any] | None) -> Energy | None:
    data = measured.get("energy") if measured else None
    return Energy.from_dict(data) if data else None
