"""Positions for the pattern N:M: one symbol per run of M says where its N values are.

The symbol is the number of the run's pattern in the order of `itertools.combinations`. The end of a
row that is too short for a run is stored completely.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from workbench.compression.sparsity_patterns import Flags, Shape, flattened, matrix

MAX_PATTERNS = 256
"""The largest number of patterns, so that a symbol fits in a byte."""


@cache
def table(width: int, per_run: int) -> Flags:
    """Return every pattern of `per_run` in `width`, [patterns, width]."""
    patterns = np.zeros((comb(width, per_run), width), np.bool_)
    for number, places in enumerate(combinations(range(width), per_run)):
        patterns[number, list(places)] = True
    return patterns


def size_of(shape: Shape, width: int, per_run: int) -> tuple[int, int]:
    """Return the number of runs of a tensor of `shape`, and the number of stored values."""
    length = int(np.prod(shape[1:], dtype=object))
    runs = shape[0] * (length // width)
    return runs, runs * per_run + shape[0] * (length % width)


def max_per_run(nonzero: Flags, shape: Shape, width: int) -> int:
    """Return the largest number of values in a run of `width`; 0 if rows are shorter."""
    rows = matrix(nonzero, shape)
    end = rows.shape[1] // width * width
    runs = rows[:, :end].reshape(-1, width)
    return int(runs.sum(axis=1).max(initial=0))


def symbols(
    nonzero: Flags, shape: Shape, width: int, per_run: int
) -> tuple[NDArray[np.uint8], Flags]:
    """Return a symbol for each run, and a mask of the flat positions that are stored.

    A run with fewer than `per_run` values also stores its first zeros.
    """
    rows = matrix(nonzero, shape).copy()
    end = rows.shape[1] // width * width
    runs = rows[:, :end].reshape(-1, width)
    first = np.argsort(~runs, axis=1, kind="stable")[:, :per_run]
    chosen = np.zeros(runs.shape, np.bool_)
    np.put_along_axis(chosen, first, True, axis=1)
    numbers = _as_numbers(chosen)
    known = _as_numbers(table(width, per_run))
    order = np.argsort(known)
    ranks = order[np.searchsorted(known[order], numbers)].astype(np.uint8)
    return ranks, _flat(chosen, shape, end)


def stored(ranks: NDArray[np.uint8], shape: Shape, width: int, per_run: int) -> Flags:
    """Return a mask of the flat positions that are stored.

    Raises
    ------
    ValueError
        If a symbol is not the number of a pattern.
    """
    patterns = table(width, per_run)
    if ranks.max(initial=0) >= len(patterns):
        raise ValueError("a symbol of the index is not the number of a pattern")
    length = int(np.prod(shape[1:], dtype=np.int64))
    return _flat(patterns[ranks], shape, length // width * width)


def _flat(stored: Flags, shape: Shape, end: int) -> Flags:
    rows = np.ones((shape[0], int(np.prod(shape[1:], dtype=np.int64))), np.bool_)
    rows[:, :end] = stored.reshape(shape[0], end)
    return flattened(rows, shape)


def _as_numbers(patterns: Flags) -> NDArray[np.uint64]:
    """Return each pattern, at most 64 wide, as an integer of as many bits."""
    places = np.left_shift(np.uint64(1), np.arange(patterns.shape[1], dtype=np.uint64))
    numbers: NDArray[np.uint64] = patterns.astype(np.uint64) @ places
    return numbers
