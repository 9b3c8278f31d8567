"""Split uploaded data into training, validation and test, with a fixed random seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import formatting
from workbench.custom.origin import Origin
from workbench.custom.uploads.limits import MIN_PER_CLASS
from workbench.domain import UNSCALED, SourceRows, TargetScale
from workbench.errors import InputError
from workbench.i18n import _, plural

HELD_OUT = {"validation": 0.15, "test": 0.15}
"""Fractions of each class that are not used for training; at least one example each."""
SEED = 0

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class UploadedData:
    """The examples of an upload, ready for training.

    Attributes
    ----------
    parts : mapping
        Inputs and targets by the names of the splits: float32 [n, features] or uint8 images
        [n, h, w] or [n, h, w, 3]; int64 classes [n] or float32 numbers [n].
    classes : tuple of str
        The class names; empty for regression.
    input_type : str
        The input type of the task: "custom" for tables, "image".
    notes : tuple of str
        Sentences about data that was left out.
    target : TargetScale
        The unit of a target that is a number.
    rows : mapping
        The rows of a table by the names of the splits; of the training rows only the lines.
    origin : Origin or None
        What the examples were made from.
    preprocessing : mapping or None
        How data become inputs, as plain data for JSON. With it, files of the model predict from
        raw data.
    """

    parts: Mapping[str, tuple[NDArray[Any], NDArray[Any]]]
    classes: tuple[str, ...]
    input_type: str
    notes: tuple[str, ...] = ()
    target: TargetScale = UNSCALED
    rows: Mapping[str, SourceRows] = field(default_factory=dict)
    origin: Origin | None = None
    preprocessing: Mapping[str, Any] | None = None


def split_rows(groups: NDArray[np.int64]) -> dict[str, Rows]:
    """Return the sorted row indices of each split, stratified by group.

    Parameters
    ----------
    groups
        The group of each row, [n]: its class, or 0 for all rows in regression.
    """
    generator = np.random.default_rng(SEED)
    splits: dict[str, list[Rows]] = {"train": [], **{name: [] for name in HELD_OUT}}
    for group in np.unique(groups):
        rows = generator.permutation(np.flatnonzero(groups == group))
        counts = [max(1, round(fraction * len(rows))) for fraction in HELD_OUT.values()]
        parts = np.split(rows, np.cumsum(counts))
        for name, part in zip((*HELD_OUT, "train"), parts, strict=True):
            splits[name].append(part)
    return {name: np.sort(np.concatenate(rows)) for name, rows in splits.items()}


def check_classes(names: tuple[str, ...], labels: NDArray[np.int64]) -> None:
    """Check that every class has enough examples for all three splits.

    Raises
    ------
    InputError
        If a class has too few.
    """
    counts = np.bincount(labels, minlength=len(names))
    rarest = int(counts.argmin())
    if counts[rarest] < MIN_PER_CLASS:
        sentence = plural(
            "The class {name} has {count} example: {least} are needed, one each for training, "
            "validation and test.",
            "The class {name} has {count} examples: {least} are needed, one each for training, "
            "validation and test.",
            int(counts[rarest]),
        )
        raise InputError(
            sentence.format(
                name=quoted(names[rarest]),
                count=formatting.count(int(counts[rarest])),
                least=MIN_PER_CLASS,
            ),
            code="upload.rare_class",
        )


def quoted(text: str, limit: int = 40) -> str:
    """Return a name from an upload in quotes, on one line, shortened to `limit` characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return _("“{name}”").format(name=line if len(line) <= limit else f"{line[: limit - 1]}…")
