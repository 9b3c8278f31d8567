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


def symbol_count(zeros_before: NDArray[np.int64], width: int) -> int:
    """Return how many symbols of `width` bits the gaps take, escapes included."""
    return int(zeros_before.size + (zeros_before // (2**width - 1)).sum())


def to_symbols(zeros_before: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
    """Return the gap symbols of `width` bits, uint8."""
    escape = 2**width - 1
    escapes, rest = np.divmod(zeros_before, escape)
    symbols = np.full(int(zeros_before.size + escapes.sum()), escape, np.uint8)
    symbols[np.cumsum(escapes + 1) - 1] = rest
    return symbols


def to_positions(symbols: NDArray[np.uint8], width: int) -> NDArray[np.int64]:
    """Return the positions that gap symbols of `width` bits stand for."""
    escape = 2**width - 1
    is_value = symbols != escape
    steps = symbols.astype(np.int64) + is_value
    positions: NDArray[np.int64] = (np.cumsum(steps) - 1)[is_value]
    return positions
