"""An example the way a person looks at it: a picture, words, the course of a sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.cache.memory import MemoryCache
from workbench.domain.task import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEPT = 8
"""Of how many tasks it is kept what their examples are like."""

_kinds: MemoryCache[str] = MemoryCache(KEPT)


def display_type(task: Task) -> str:
    """Return how a task's examples are looked at.

    It is the task's form, but for a person's own data: those are an "image" too where a module
    takes one tensor of floats with two dimensions for each example, or with channels before them.
    """
    if task.input_type != "own":
        return task.input_type
    return _kinds.of((task.name, task.digest("validation")), lambda: _kind_of_own(task))


class ReadableExamples:
    """The examples of a split, each as `to_readable` gives it, by number."""

    def __init__(self, task: Task, examples: Any) -> None:
        self.task = task
        self.examples = examples

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, number: int) -> Any:
        return to_readable(self.task, self.examples[number : number + 1])


def to_readable(task: Task, examples: Any) -> Any:
    """Return the only one of `examples`, stored as the task stores them, for a person to look at.

    Returns
    -------
    uint8 array [h, w]
        For an image; of several channels the mean, between the least and the most.
    tuple of str
        For a text: its words, without padding.
    float32 array [frames, features]
        For a sound, without padding.
    None
        Where nothing is known of what the numbers mean.
    """
    kind = display_type(task)
    if kind == "words":
        from workbench.zoo.reviews.words import tokens

        return tuple(tokens(examples[0].tolist()))
    if kind == "frames":
        return examples[0][valid_frames(examples[0])]
    if task.input_type == "image":
        return examples[0]
    return _grey(task.inputs(examples)[0].numpy()) if kind == "image" else None


def valid_frames(frames: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return bool [..., t] for frames [..., t, features]: padding alone has only zeros."""
    real: NDArray[np.bool_] = (frames != 0).any(axis=-1)
    return real


def _grey(image: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    flat = image.mean(axis=0) if image.ndim > 2 else image
    low, high = float(flat.min()), float(flat.max())
    return np.round((flat - low) * (255 / (high - low or 1))).astype(np.uint8)


def _kind_of_own(task: Task) -> str:
    inputs = task.inputs(task.split("validation").examples[:1])
    pictured = getattr(inputs, "ndim", 0) in (3, 4) and inputs.is_floating_point()
    return "image" if pictured else "own"
