"""New examples, ready for a network, and what is to be said about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from workbench.domain import UNSCALED, TargetScale


@dataclass(frozen=True, eq=False)
class NewExamples:
    """New examples of n rows or pictures.

    Attributes
    ----------
    examples : array [n, ...]
        The inputs as a split stores them.
    columns : mapping
        What they were made from, by column, [n] each.
    sources : sequence
        Where they come from, [n]: the line of the file in which a row begins, counted from 1, or
        the name of a picture.
    target : TargetScale
        The name of the target, and its unit if it is a number.
    labels : array [n], optional
        int64 classes, −1 where one is unknown, or standardized float32 numbers, NaN where one is
        missing; None if the data do not contain them.
    notes : tuple of str
        Sentences about what was missing or not understood.
    """

    examples: NDArray[Any]
    columns: Mapping[str, Sequence[Any]]
    sources: Sequence[int | str]
    target: TargetScale = UNSCALED
    labels: NDArray[Any] | None = None
    notes: tuple[str, ...] = ()
