"""What compression changed: the judge's class of every example, of the original and of the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from workbench.analysis.artifact_for import artifact_for
from workbench.artifact.artifact import Artifact
from workbench.cache.memory import MemoryCache
from workbench.domain import Model, Split
from workbench.errors import WorkbenchError
from workbench.evaluation.counts import PredictionCounts
from workbench.evaluation.progress import iter_predictions
from workbench.evaluation.reference import Predictions
from workbench.i18n import mark as N_
from workbench.recipe import Recipe
from workbench.validation import expect_model

Numbers = NDArray[np.int64]
Watch = Callable[[float], None]

NO_PREDICTION = N_("no prediction")
"""In place of a class where outputs are not finite."""

_originals: MemoryCache[Predictions] = MemoryCache(16, 16 * 2**20, lambda found: found.nbytes)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Labels and predictions of every example of a split, in its order.

    `labels`, `before` (the original's) and `after` (the decoded file's) are int64 [n], read-only:
    numbers of `classes`. Predictions are the judge's own, −1 where outputs are not finite.
    """

    model: str
    split: str
    classes: tuple[str, ...]
    labels: Numbers
    before: Predictions
    after: Predictions

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return (
            f"<Changes {self.model}: of {len(self):,} {self.split} examples {len(self.lost)} went "
            f"wrong, {len(self.won)} the other way, {len(self.moved)} wrong in another way>"
        )

    @property
    def lost(self) -> Numbers:
        """The examples that went from right to wrong, by number."""
        return self._where((self.before == self.labels) & (self.after != self.labels))

    @property
    def won(self) -> Numbers:
        """The examples that went from wrong to right, by number."""
        return self._where((self.before != self.labels) & (self.after == self.labels))

    @property
    def moved(self) -> Numbers:
        """The examples that were wrong, and are now wrong in another way, by number."""
        wrong = (self.before != self.labels) & (self.after != self.labels)
        return self._where(wrong & (self.before != self.after))

    @property
    def flipped(self) -> Numbers:
        """All examples whose prediction changed, by number."""
        return self._where(self.before != self.after)

    @property
    def prediction_counts(self) -> tuple[PredictionCounts, PredictionCounts]:
        """The counts of the original and of the file; each can give its confusion matrix."""
        before, after = (
            PredictionCounts.of(self.labels, predicted, len(self.classes), len(self))
            for predicted in (self.before, self.after)
        )
        return before, after

    @property
    def recall(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """The share found of each class, 0 to 1, by the original and by the file.

        NaN for a class that has no example.
        """
        before, after = (tuple(tally.recalls.tolist()) for tally in self.prediction_counts)
        return before, after

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each example whose prediction changed: number, label, before, after."""
        return [
            {
                "example": int(n),
                "label": self.name(self.labels[n]),
                "before": self.name(self.before[n]),
                "after": self.name(self.after[n]),
            }
            for n in self.flipped
        ]

    def name(self, seen: int) -> str:
        """Return what a label or prediction is called: a class, or that there is none."""
        return self.classes[seen] if seen >= 0 else NO_PREDICTION

    @staticmethod
    def _where(flags: NDArray[np.bool_]) -> Numbers:
        return np.flatnonzero(flags)


def compare(
    model: Model,
    what: Recipe | Artifact,
    *,
    split: str = "validation",
    cancelled: Callable[[], bool] = lambda: False,
    progress: Watch = lambda share: None,
) -> Comparison:
    """Return what `model` and its compressed file predict for every example of a split.

    Parameters
    ----------
    model
    what
        How to compress it, or a file that holds it compressed.
    split : "validation" or "test"
    cancelled, progress
        Asked between two batches whether to give up, and told the share done, 0 to 1.

    Raises
    ------
    RecipeError, ArtifactError
        When the recipe or the file does not fit the model.
    WorkbenchError
        When the task knows no classes.
    Cancelled
        When `cancelled()` answers True on the way.

    >>> import workbench as wb
    >>> model = wb.model("fashion/lenet-300-100")
    >>> found = wb.compare(model, wb.Recipe(quantize=wb.Quantize(bits=3)))
    >>> len(found.lost) - len(found.won) == found.tallies[0].correct - found.tallies[1].correct
    True
    """
    task = expect_model(model).task
    if task.metric.counts != "classes":
        raise WorkbenchError(
            f"Changes are classes that became others, and {task.title} is measured by "
            f"{task.metric.name}."
        )
    artifact = artifact_for(model, what, cancelled)
    data = model.task.split(split)
    key = (model.name, model.digest, data.digest)
    begin = 0.0
    before = _originals.get(key)
    if before is None:
        begin = 0.5
        before = _predictions(
            model, model.weights(), data, cancelled, lambda share: progress(share / 2)
        )
        _originals.put(key, before, model.architecture.lifetime)
    after = _predictions(
        model.with_spec(artifact.spec),
        artifact.operands(),
        data,
        cancelled,
        lambda share: progress(begin + (1 - begin) * share),
    )
    labels = data.labels.astype(np.int64)
    labels.flags.writeable = False
    return Comparison(model.name, split, model.task.classes, labels, before, after)


def _predictions(
    model: Model,
    weights: Mapping[str, Tensor],
    split: Split,
    cancelled: Callable[[], bool],
    progress: Watch,
) -> Predictions:
    found = np.zeros(len(split), np.int64)
    for numbers, classes in iter_predictions(model, weights, split, cancelled=cancelled):
        found[numbers] = classes
        progress(len(numbers) / len(split))
    found.flags.writeable = False
    return found
