"""Positions where every run of M holds N values: one symbol for each run says which.

The symbol is the place of the run's pattern among all those of N in M, in the order of
`itertools.combinations`. The end of a row that is too short for a run is stored whole.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from workbench.compression.sparsity_patterns import Flags, Shape, flattened, matrix

MAX_PATTERNS = 256
"""Patterns that a symbol can tell apart."""


@cache
def table(width: int, kept: int) -> Flags:
    """Return every pattern of `kept` in `width`, [patterns, width]."""
    found = np.zeros((comb(width, kept), width), np.bool_)
    for number, places in enumerate(combinations(range(width), kept)):
        found[number, list(places)] = True
    return found


def size_of(shape: Shape, width: int, kept: int) -> tuple[int, int]:
    """Return the runs of a tensor of `shape`, and the values that are stored."""
    length = int(np.prod(shape[1:], dtype=object))
    runs = shape[0] * (length // width)
    return runs, runs * kept + shape[0] * (length % width)


def max_per_run(nonzero: Flags, shape: Shape, width: int) -> int:
    """Return how many values the fullest run of `width` holds; 0 where a row is shorter."""
    rows = matrix(nonzero, shape)
    whole = rows.shape[1] // width * width
    runs = rows[:, :whole].reshape(-1, width)
    return int(runs.sum(axis=1).max(initial=0))


def symbols(nonzero: Flags, shape: Shape, width: int, kept: int) -> tuple[NDArray[np.uint8], Flags]:
    """Return a symbol for each run, and which of the flat positions are stored.

    A run with fewer values than `kept` stores its first zeros beside them.
    """
    rows = matrix(nonzero, shape).copy()
    whole = rows.shape[1] // width * width
    runs = rows[:, :whole].reshape(-1, width)
    first = np.argsort(~runs, axis=1, kind="stable")[:, :kept]
    chosen = np.zeros(runs.shape, np.bool_)
    np.put_along_axis(chosen, first, True, axis=1)
    found = _number(chosen)
    known = _number(table(width, kept))
    order = np.argsort(known)
    ranks = order[np.searchsorted(known[order], found)].astype(np.uint8)
    return ranks, _flat(chosen, shape, whole)


def stored(ranks: NDArray[np.uint8], shape: Shape, width: int, kept: int) -> Flags:
    """Return which of the flat positions are stored.

    Raises
    ------
    ValueError
        When a symbol stands for no pattern.
    """
    patterns = table(width, kept)
    if ranks.max(initial=0) >= len(patterns):
        raise ValueError("a symbol of the index stands for no pattern")
    length = int(np.prod(shape[1:], dtype=np.int64))
    return _flat(patterns[ranks], shape, length // width * width)


def _flat(stored: Flags, shape: Shape, whole: int) -> Flags:
    rows = np.ones((shape[0], int(np.prod(shape[1:], dtype=np.int64))), np.bool_)
    rows[:, :whole] = stored.reshape(shape[0], whole)
    return flattened(rows, shape)


def _number(patterns: Flags) -> NDArray[np.uint64]:
    """Return each pattern, up to 64 wide, as a number of as many bits."""
    places = np.left_shift(np.uint64(1), np.arange(patterns.shape[1], dtype=np.uint64))
    numbers: NDArray[np.uint64] = patterns.astype(np.uint64) @ places
    return numbers
