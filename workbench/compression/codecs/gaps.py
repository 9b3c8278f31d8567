"""Relative positions: how far each non-zero value lies from the one before.

A symbol s below the escape 2^w − 1 skips s positions and then a value follows; the escape skips
2^w − 1 positions and no value follows. (Deep Compression, arXiv 1510.00149, stores a filler zero
there instead, which also costs a value.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WIDTHS = range(2, 9)


def gaps(positions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the zeros before each of the rising `positions`."""
    return np.diff(positions, prepend=-1) - 1


def symbol_counts(tally: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Return how often each symbol of `width` bits occurs, for gaps of which `tally[n]` are n."""
    escape = 2**width - 1
    escapes, rest = np.divmod(np.arange(tally.size), escape)
    counts = np.bincount(rest, weights=tally, minlength=escape + 1).astype(np.int64)
    counts[escape] = escapes @ tally
    return counts


def to_symbols(zeros_before: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
    """Return the gap symbols of `width` bits, uint8."""
    escape = 2**width - 1
    long = np.flatnonzero(zeros_before >= escape)  # few, as a rule
    if not long.size:
        return zeros_before.astype(np.uint8)
    escapes, rest = np.divmod(zeros_before[long], escape)
    last = zeros_before.astype(np.uint8)
    last[long] = rest
    symbols = np.full(last.size + int(escapes.sum()), escape, np.uint8)
    steps = np.ones(last.size, np.int64)
    steps[long] += escapes
    symbols[np.cumsum(steps) - 1] = last
    return symbols


def to_positions(symbols: NDArray[np.uint8], width: int) -> NDArray[np.int64]:
    """Return the positions that gap symbols of `width` bits stand for."""
    escape = 2**width - 1
    is_value = symbols != escape
    steps = symbols.astype(np.int64) + is_value
    positions: NDArray[np.int64] = (np.cumsum(steps) - 1)[is_value]
    return positions
