"""Examples in a form for display: an image, words, or the frames of a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench import formatting
from workbench.cache.memory import MemoryCache
from workbench.domain.task import SourceRows, Task
from workbench.i18n import _

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST_CELL = 100
"""Letters of a cell that are shown."""
CACHED_TASKS = 8
"""Number of tasks whose display type is cached."""

_display_types: MemoryCache[str] = MemoryCache(CACHED_TASKS)


def display_type(task: Task) -> str:
    """Return how to display a task's examples.

    It is "image", "words", "characters", "frames" or "custom": the task's input type, except that
    a user's data are an "image" if the module takes one floating-point tensor [height, width] or
    [channels, height, width] per example.
    """
    if task.input_type != "custom":
        return task.input_type
    return _display_types.of(
        (task.name, task.digest("validation")), lambda: _custom_display_type(task)
    )


class ReadableExamples:
    """The examples of a split by index, each as `to_readable` returns it.

    With the rows of a table, each example is the text that `row_text` returns.
    """

    def __init__(self, task: Task, examples: Any, rows: SourceRows | None = None) -> None:
        self.task = task
        self.examples = examples
        self.rows = rows

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> Any:
        if self.rows is not None:
            return row_text(self.rows, index, self.task.target.name)
        return to_readable(self.task, self.examples[index : index + 1])


def to_readable(task: Task, examples: Any) -> Any:
    """Return the single example in `examples`, as stored by the task, in a form for display.

    Returns
    -------
    uint8 array [h, w]
        An image. Several channels are averaged and scaled from minimum to maximum.
    tuple of str
        The words of a text, without padding.
    float32 array [frames, features]
        The frames of a recording, without padding.
    None
        If the meaning of the data is unknown.
    """
    shown_as = display_type(task)
    if shown_as == "words":
        from workbench.zoo.reviews.words import tokens

        return tuple(tokens(examples[0].tolist()))
    if shown_as == "frames":
        return examples[0][valid_frames(examples[0])]
    if task.input_type == "image":
        return examples[0]
    return _gray(task.inputs(examples)[0].numpy()) if shown_as == "image" else None


def row_text(rows: SourceRows, index: int, target: str = "") -> str:
    """Return the line and the cells of a row, without the target: ``line 12: age 40, city Rome``.

    Long cells are shortened.
    """
    cells = (
        f"{name} {cell if len(cell) <= LONGEST_CELL else cell[: LONGEST_CELL - 1] + '…'}"
        for name, cell in rows.row(index).items()
        if name != target and cell
    )
    return _("line {line}: {cells}").format(
        line=formatting.count(rows.lines[index]), cells=", ".join(cells)
    )


def valid_frames(frames: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return bool [..., t], false for padding, for frames [..., t, features].

    Padding frames are all zero.
    """
    valid: NDArray[np.bool_] = (frames != 0).any(axis=-1)
    return valid


def _gray(image: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    flat = image.mean(axis=0) if image.ndim > 2 else image
    low, high = float(flat.min()), float(flat.max())
    return np.round((flat - low) * (255 / (high - low or 1))).astype(np.uint8)


def _custom_display_type(task: Task) -> str:
    inputs = task.inputs(task.split("validation").examples[:1])
    is_image = getattr(inputs, "ndim", 0) in (3, 4) and inputs.is_floating_point()
    return "image" if is_image else "custom"
