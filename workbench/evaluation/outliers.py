"""A single target value that outweighs all others in the squared error."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench import formatting
from workbench.domain import Split, Task
from workbench.i18n import _

MIN_VALUES = 20
SHARE = 0.5
"""The share of the sum of squared distances from the median."""


def dominant(values: NDArray[np.float64]) -> int | None:
    """Return the index of the value that has more weight than all others together, or None.

    The weight is the squared distance from the median. Fewer than `MIN_VALUES` values have none.

    Parameters
    ----------
    values
        Finite numbers, [n].
    """
    if len(values) < MIN_VALUES:
        return None
    distances = np.abs(values - np.median(values))
    index = int(distances.argmax())
    if not distances[index] > 0:
        return None
    weights = np.square(distances / distances[index])
    return index if weights[index] > SHARE * weights.sum() else None


def about_dominant(value: float, line: int) -> str:
    """Return a sentence about the value in a line of the file, counted from 1."""
    return _(
        "The value {value} in line {line} has more weight in the squared error than all others "
        "together: correct it, or leave out the row."
    ).format(value=formatting.number(value), line=formatting.count(line))


def dominant_row(task: Task, split: Split) -> str:
    """Return a sentence about such a value of a split or of the training split, or no text.

    Only rows of a table have a line.
    """
    splits = [split]
    if any(source.split == "train" for source in task.sources):
        splits.append(task.split("train"))
    for part in splits:
        if part.rows is None:
            continue
        values = task.target.in_unit(np.asarray(part.labels))
        index = dominant(values)
        if index is not None:
            return about_dominant(float(values[index]), part.rows.lines[index])
    return ""
