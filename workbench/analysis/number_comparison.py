"""Compare the numbers that the original and the compressed model predict, example by example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.analysis.artifact_for import artifact_for
from workbench.analysis.comparison import cells_of, predicts_one_number
from workbench.arguments import expect_running
from workbench.artifact.artifact import Artifact
from workbench.cancel import NEVER, CancelToken
from workbench.display import Displayable
from workbench.domain import Model, SourceRows
from workbench.errors import InputError
from workbench.evaluation.sums import reference_outputs
from workbench.recipe import Recipe
from workbench.validation import expect_model

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NumberComparison(Displayable):
    """The true and the predicted numbers of every example of a split, in its order.

    Attributes
    ----------
    model, split : str
        The names of the model and of the split.
    target : str
        The name of the target; may be empty.
    labels, before, after : ndarray of float64
        The true numbers, and the predictions of the original and of the compressed model, in the
        unit of the target, [n]. Read-only.
    source : SourceRows, optional
        The rows of the table that the examples were made from.
    """

    _plots = "number_comparison"

    model: str
    split: str
    target: str
    labels: Numbers
    before: Numbers
    after: Numbers
    source: SourceRows | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        before, after = self.errors
        return (
            f"<NumberComparison {self.model}: root mean squared error of {len(self):,} "
            f"{self.split} examples {before:.4g} before, {after:.4g} after>"
        )

    @property
    def errors(self) -> tuple[float, float]:
        """The root mean squared errors before and after, in the unit of the target."""
        before, after = (
            float(np.sqrt(np.square(predicted - self.labels).mean()))
            for predicted in (self.before, self.after)
        )
        return before, after

    @property
    def most_changed(self) -> NDArray[np.int64]:
        """The indices of the examples whose prediction changed, the largest change first."""
        change = np.nan_to_num(np.abs(self.after - self.before), nan=np.inf)
        order = np.argsort(-change, kind="stable")
        return order[change[order] > 0]

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each changed prediction, the largest change first.

        Of a table, each row also has the line of the file and the cells.
        """
        return [
            {
                "example": int(n),
                "label": float(self.labels[n]),
                "before": float(self.before[n]),
                "after": float(self.after[n]),
                "change": float(self.after[n] - self.before[n]),
                **cells_of(self.source, int(n)),
            }
            for n in self.most_changed
        ]


def compare_numbers(
    model: Model,
    compressed: Recipe | Artifact,
    *,
    split: str = "validation",
    cancel: CancelToken = NEVER,
) -> NumberComparison:
    """Compare the numbers that `model` and its compressed version predict on a split.

    Parameters
    ----------
    model, compressed, split
        As for `compare`: the original, a recipe or an artifact of it, and the name of a split.
    cancel
        Checked between two batches.

    Raises
    ------
    RecipeError, ArtifactError
        If the recipe or the artifact does not fit the model.
    InputError
        If the task's target is not one number for each example, of shape [n] or [n, 1].
    Cancelled
        If `cancel` is cancelled.

    Examples
    --------
    >>> table = {"size": [*range(30, 90)], "price": [1000.0 * n for n in range(30, 90)]}
    >>> model = wb.from_table(table, name="prices", seconds=1)
    >>> result = wb.compare_numbers(model, wb.Recipe(quantize=wb.Quantize(bits=2)))
    >>> len(result), float(result.labels.min()) >= 30_000
    (9, True)
    """
    expect_running(cancel)
    task = expect_model(model).task
    data = task.split(split)
    if task.metric.counts != "numbers":
        other = "wb.compare" if task.metric.counts == "classes" else "wb.measure"
        raise InputError(
            f"This compares predicted numbers, and the task {task.name!r} is measured by "
            f"{task.metric.label}: use {other}.",
            code="metric.no_numbers",
        )
    if not predicts_one_number(task, split):
        count = np.size(data.labels[:1])
        raise InputError(
            f"This compares one number for each example, and the targets of the task {task.name!r} "
            f"have {count:,}: use wb.measure, whose errors are over all of them.",
            code="metric.several_numbers",
        )
    artifact = artifact_for(model, compressed, cancel)
    shaped = model.with_spec(artifact.spec)
    before, after = (
        task.target.in_unit(reference_outputs(network, weights, data, cancel).reshape(-1).numpy())
        for network, weights in ((model, model.weights()), (shaped, artifact.operands()))
    )
    labels = task.target.in_unit(np.asarray(data.labels).reshape(-1))
    for numbers in (labels, before, after):
        numbers.flags.writeable = False
    return NumberComparison(model.name, split, task.target.name, labels, before, after, data.rows)
