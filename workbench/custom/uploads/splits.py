"""Uploaded data in three parts, drawn by lot the same way every time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import formatting
from workbench.custom.uploads.limits import MIN_PER_CLASS
from workbench.errors import WorkbenchError
from workbench.i18n import _, plural

HELD_OUT = {"validation": 0.15, "test": 0.15}
"""What is kept from training; at least one example of every class."""
SEED = 0

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class UploadedData:
    """What an upload holds, ready to be learned.

    Attributes
    ----------
    parts : mapping
        Inputs and targets by the names of the splits: float32 [n, features] or uint8 images
        [n, h, w] or [n, h, w, 3]; int64 classes [n] or float32 numbers [n].
    classes : tuple of str
        Their names; empty where a number is predicted.
    form : str
        The form of the task: "own" for tables, "image".
    notes : tuple of str
        Sentences about what was left out.
    """

    parts: Mapping[str, tuple[NDArray[Any], NDArray[Any]]]
    classes: tuple[str, ...]
    form: str
    notes: tuple[str, ...] = ()


def split_rows(groups: NDArray[np.int64]) -> dict[str, Rows]:
    """Return which rows are in each split, every group in each in proportion; in order.

    Parameters
    ----------
    groups
        The number of each row's group, [n]: its class, or 0 for all where there are none.
    """
    generator = np.random.default_rng(SEED)
    found: dict[str, list[Rows]] = {"train": [], **{name: [] for name in HELD_OUT}}
    for group in np.unique(groups):
        rows = generator.permutation(np.flatnonzero(groups == group))
        counts = [max(1, round(share * len(rows))) for share in HELD_OUT.values()]
        parts = np.split(rows, np.cumsum(counts))
        for name, part in zip((*HELD_OUT, "train"), parts, strict=True):
            found[name].append(part)
    return {name: np.sort(np.concatenate(rows)) for name, rows in found.items()}


def check_classes(names: tuple[str, ...], labels: NDArray[np.int64]) -> None:
    """Refuse a class that is too rare to be in all three splits.

    Raises
    ------
    WorkbenchError
        Naming it.
    """
    counts = np.bincount(labels, minlength=len(names))
    rarest = int(counts.argmin())
    if counts[rarest] < MIN_PER_CLASS:
        sentence = plural(
            "The class {name} has {count} example: {least} are needed, one each to learn from, to "
            "choose by and to test.",
            "The class {name} has {count} examples: {least} are needed, one each to learn from, "
            "to choose by and to test.",
            int(counts[rarest]),
        )
        raise WorkbenchError(
            sentence.format(
                name=quoted(names[rarest]),
                count=formatting.count(int(counts[rarest])),
                least=MIN_PER_CLASS,
            )
        )


def quoted(text: str, most: int = 40) -> str:
    """Return a name from an upload as a sentence can hold it: in quotes, on one line, not long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return _("“{name}”").format(name=line if len(line) <= most else f"{line[: most - 1]}…")
