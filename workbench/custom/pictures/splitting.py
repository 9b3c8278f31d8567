"""Split pictures as their folders say, or at random with near-duplicates in the same split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.custom.pictures.inspection import SPLITS
from workbench.custom.uploads.splits import HELD_OUT, SEED

Rows = NDArray[np.int64]


def given_splits(splits: Sequence[str | None]) -> tuple[str, ...]:
    """Return the splits that folders name; none if they name only the training split."""
    named = tuple(split for split in SPLITS if split in splits)
    return named if len(named) > 1 else ()


def split_pictures(
    labels: NDArray[np.int64], splits: Sequence[str | None], duplicates: NDArray[np.int64]
) -> dict[str, Rows]:
    """Return the sorted row indices of each split.

    Parameters
    ----------
    labels
        The class of each picture, [n].
    splits
        The split that the folders of each picture name, or None.
    duplicates
        For each picture the index of the first one that is nearly the same, [n].
    """
    given = given_splits(splits)
    rows = np.arange(len(labels))
    names = np.array([split or "" for split in splits])
    result = {split: rows[names == split] for split in given if split != "train"}
    free = rows[names == "train"] if given else rows
    missing = {name: share for name, share in HELD_OUT.items() if name not in given}
    parts: dict[str, list[Rows]] = {name: [] for name in ("train", *missing)}
    generator = np.random.default_rng(SEED)
    for label in np.unique(labels[free]):
        chosen = free[labels[free] == label]
        for name, part in _random_parts(chosen, duplicates, missing, generator).items():
            parts[name].append(part)
    result |= {name: np.sort(np.concatenate(each)) for name, each in parts.items()}
    return {name: result[name] for name in SPLITS}


def _random_parts(
    rows: Rows,
    duplicates: NDArray[np.int64],
    held_out: dict[str, float],
    generator: np.random.Generator,
) -> dict[str, Rows]:
    """Split the pictures of a class; nearly equal ones stay together if there are enough others."""
    _, groups = np.unique(duplicates[rows], return_inverse=True)
    if groups.max() < len(held_out):  # fewer groups than splits
        groups = np.arange(len(rows))
    counts = {name: max(1, round(share * len(rows))) for name, share in held_out.items()}
    sizes = np.bincount(groups)
    order = generator.permutation(len(sizes))
    order = order[np.argsort(sizes[order] > min(counts.values(), default=1), kind="stable")]
    chosen: dict[str, list[int]] = {name: [] for name in held_out}
    remaining = list(order)
    for number, (name, count) in enumerate(counts.items()):
        size, others = 0, len(counts) - number
        while size < count and len(remaining) > others:
            size += int(sizes[remaining[0]])
            chosen[name].append(remaining.pop(0))
    chosen["train"] = remaining
    return {name: rows[np.isin(groups, each)] for name, each in chosen.items()}
