"""Compare the predictions of the original and of the compressed model, example by example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from workbench.analysis.artifact_for import artifact_for
from workbench.arguments import expect_running
from workbench.artifact.artifact import Artifact
from workbench.cache.memory import MemoryCache
from workbench.cancel import NEVER, CancelToken
from workbench.display import Displayable
from workbench.domain import Model, SourceRows, Split, Task
from workbench.errors import InputError
from workbench.evaluation.counts import PredictionCounts
from workbench.evaluation.progress import iter_predictions
from workbench.evaluation.reference import Predictions
from workbench.i18n import mark as N_
from workbench.recipe import Recipe
from workbench.validation import expect_model

Numbers = NDArray[np.int64]

KEYS = frozenset(["example", "label", "before", "after", "line", "change"])
"""Keys of the rows of a comparison."""
NO_PREDICTION = N_("no prediction")
"""Displayed in place of a class if the outputs are not finite."""

_originals: MemoryCache[Predictions] = MemoryCache(16, 16 * 2**20, lambda array: array.nbytes)


@dataclass(frozen=True, eq=False)
class Comparison(Displayable):
    """Labels and predictions of every example of a split, in its order.

    Attributes
    ----------
    model, split : str
        The names of the model and of the split.
    classes : tuple of str
        The names of the classes.
    labels : ndarray of int64
        The class of each example, [n]. Read-only.
    before, after : ndarray of int64
        The reference predictions of the original and of the compressed model, [n]: indices of
        `classes`, −1 where the outputs are not finite. Read-only.
    source : SourceRows, optional
        The rows of the table that the examples were made from.
    """

    _plots = "comparison"
    _columns = ("example", "label", "before", "after")

    model: str
    split: str
    classes: tuple[str, ...]
    labels: Numbers
    before: Predictions
    after: Predictions
    source: SourceRows | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        wrong, right, still = map(len, (self.became_wrong, self.became_right, self.stayed_wrong))
        return (
            f"<Comparison {self.model}: of {len(self):,} {self.split} examples {wrong:,} became "
            f"wrong, {right:,} became right, {still:,} stayed wrong>"
        )

    @property
    def became_wrong(self) -> Numbers:
        """Indices of the examples that were right and are now wrong."""
        return self._where((self.before == self.labels) & (self.after != self.labels))

    @property
    def became_right(self) -> Numbers:
        """Indices of the examples that were wrong and are now right."""
        return self._where((self.before != self.labels) & (self.after == self.labels))

    @property
    def stayed_wrong(self) -> Numbers:
        """Indices of the examples whose prediction changed from one wrong class to another."""
        wrong = (self.before != self.labels) & (self.after != self.labels)
        return self._where(wrong & (self.before != self.after))

    @property
    def flipped(self) -> Numbers:
        """Indices of all examples whose prediction changed."""
        return self._where(self.before != self.after)

    @property
    def prediction_counts(self) -> tuple[PredictionCounts, PredictionCounts]:
        """The counts of the original and of the compressed model, with their confusion matrices."""
        before, after = (
            PredictionCounts.of(self.labels, predicted, len(self.classes), len(self))
            for predicted in (self.before, self.after)
        )
        return before, after

    @property
    def recall(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """The recall of each class, 0 to 1, before and after; NaN for a class without examples."""
        before, after = (tuple(counts.recalls.tolist()) for counts in self.prediction_counts)
        return before, after

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each changed prediction: example, label, before, after.

        Of a table, each row also has the line of the file and the cells.
        """
        return [
            {
                "example": int(n),
                "label": self.name(self.labels[n]),
                "before": self.name(self.before[n]),
                "after": self.name(self.after[n]),
                **cells_of(self.source, int(n)),
            }
            for n in self.flipped
        ]

    def name(self, index: int) -> str:
        """Return the display name of a label or prediction."""
        return self.classes[index] if index >= 0 else NO_PREDICTION

    @staticmethod
    def _where(flags: NDArray[np.bool_]) -> Numbers:
        return np.flatnonzero(flags)


def compare(
    model: Model,
    compressed: Recipe | Artifact,
    *,
    split: str = "validation",
    cancel: CancelToken = NEVER,
) -> Comparison:
    """Compare the predictions of `model` and of its compressed version on a split.

    Parameters
    ----------
    model
        The original model.
    compressed
        A recipe, or an artifact of the model.
    split
        "train", "validation" or "test".
    cancel
        Checked between two batches; receives the progress.

    Raises
    ------
    RecipeError, ArtifactError
        If the recipe or the artifact does not fit the model.
    InputError
        If the task has no classes.
    Cancelled
        If `cancel` is cancelled.

    Examples
    --------
    >>> import workbench as wb
    >>> model = wb.model("fashion/lenet-300-100")
    >>> result = wb.compare(model, wb.Recipe(quantize=wb.Quantize(bits=3)))
    >>> before, after = result.prediction_counts
    >>> len(result.became_wrong) - len(result.became_right) == before.correct - after.correct
    True
    """
    expect_running(cancel)
    task = expect_model(model).task
    if task.metric.counts != "classes":
        raise InputError(
            f"A comparison needs predicted classes, and the task {task.name!r} is measured by "
            f"{task.metric.label}: use "
            + ("wb.compare_numbers." if predicts_one_number(task, split) else "wb.measure."),
            code="metric.no_classes",
        )
    artifact = artifact_for(model, compressed, cancel)
    data = model.task.split(split)
    key = (model.name, model.digest, data.digest)
    before = _originals.get(key)
    second = cancel
    if before is None:
        second = cancel.part(0.5, 1.0)
        before = _predictions(model, model.weights(), data, cancel.part(0.0, 0.5))
        _originals.put(key, before, model.architecture.lifetime)
    shaped = model.with_spec(artifact.spec)
    after = _predictions(shaped, artifact.operands(), data, second)
    labels = data.labels.astype(np.int64)
    labels.flags.writeable = False
    return Comparison(model.name, split, model.task.classes, labels, before, after, data.rows)


def predicts_one_number(task: Task, split: str) -> bool:
    """Whether a task has one number for each example of a split: targets of shape [n] or [n, 1]."""
    if task.metric.counts != "numbers":
        return False
    return bool(np.size(task.split(split).labels[:1]) == 1)


def cells_of(source: SourceRows | None, index: int) -> dict[str, Any]:
    """Return the line and the cells of an example's row; empty without a table.

    A column whose name is also a key of a row gets an equals sign after its name.
    """
    if source is None:
        return {}
    cells = {f"{name}=" if name in KEYS else name: c for name, c in source.row(index).items()}
    return {"line": int(source.lines[index]), **cells}


def _predictions(
    model: Model, weights: Mapping[str, Tensor], split: Split, cancel: CancelToken
) -> Predictions:
    predictions = np.zeros(len(split), np.int64)
    for indices, classes in iter_predictions(model, weights, split, cancel=cancel):
        predictions[indices] = classes
        cancel.progress(len(indices) / len(split))
    predictions.flags.writeable = False
    return predictions
