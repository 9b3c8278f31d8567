"""Relative positions: the number of zeros between consecutive nonzero values.

A symbol s below the escape 2^w − 1 skips s positions, and a value follows. The escape skips
2^w − 1 positions, and no value follows. (Deep Compression, arXiv 1510.00149, stores a filler zero
instead, which also costs a value.)
"""

from __future__ import annotations

from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from workbench.compression.pieces import in_pieces, pieces
from workbench.compression.sparsity_patterns import Flags
from workbench.threads import parallel_map

WIDTHS = range(2, 9)
SHORT = 2**16
"""Gaps below this are counted in a table, the few longer ones one by one."""


class Gaps:
    """The number of zeros before each True of `flags`, never all in memory at once."""

    def __init__(self, flags: Flags) -> None:
        self.flags = flags
        last = in_pieces(lambda piece: _last(flags[piece], piece.start), flags.size)
        before = accumulate(last, max, initial=-1)
        self._pieces = list(zip(pieces(flags.size), before, strict=False))

    def counts(self) -> dict[int, NDArray[np.int64]]:
        """Return how often each symbol occurs, by symbol width in bits."""
        short: NDArray[np.int64] = np.zeros(SHORT, np.int64)
        long: list[int] = []
        for zeros in parallel_map(self._of, self._pieces):
            at = np.flatnonzero(zeros >= SHORT)
            long += zeros[at].tolist()
            counted = np.bincount(np.delete(zeros, at) if at.size else zeros)
            short[: counted.size] += counted
        short = np.trim_zeros(short, "b")
        by_width = {width: symbol_counts(short, width) for width in WIDTHS}
        for counts in by_width.values():
            for gap in long:
                escapes, rest = divmod(gap, counts.size - 1)
                counts[-1] += escapes
                counts[rest] += 1
        return by_width

    def symbols(self, width: int) -> NDArray[np.uint8]:
        """Return the symbols of `width` bits."""
        return np.concatenate(
            [*parallel_map(lambda piece: to_symbols(self._of(piece), width), self._pieces)]
        )

    def _of(self, piece: tuple[slice, int]) -> NDArray[np.int64]:
        where, before = piece
        positions = np.flatnonzero(self.flags[where])
        return np.diff(positions, prepend=before - where.start) - 1


def _last(flags: Flags, start: int) -> int:
    """Return the position of the last True of `flags`, which begin at `start`, or -1."""
    backwards = flags[::-1]
    place = int(backwards.argmax()) if flags.size else 0
    return start + flags.size - 1 - place if flags.size and backwards[place] else -1


def set_flags(flags: Flags, symbols: NDArray[np.uint8], width: int) -> None:
    """Set the `flags` at the positions that gap symbols of `width` bits encode.

    Raises
    ------
    ValueError
        If a position is out of range.
    """
    at = 0
    escape = 2**width - 1
    for piece in pieces(symbols.size):
        part = symbols[piece]
        positions = to_positions(part, width) + at
        if positions.size and positions[-1] >= flags.size:
            raise ValueError("the index does not fit the tensor")
        flags[positions] = True
        at += int(part.sum(dtype=np.int64)) + int(np.count_nonzero(part != escape))


def gaps(positions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of zeros before each of the rising `positions`."""
    return np.diff(positions, prepend=-1) - 1


def symbol_counts(tally: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Return how often each symbol of `width` bits occurs, if gap n occurs `tally[n]` times."""
    escape = 2**width - 1
    escapes, rest = np.divmod(np.arange(tally.size), escape)
    counts = np.bincount(rest, weights=tally, minlength=escape + 1).astype(np.int64)
    counts[escape] = escapes @ tally
    return counts


def to_symbols(zeros_before: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
    """Return the gap symbols of `width` bits, uint8."""
    escape = 2**width - 1
    long = np.flatnonzero(zeros_before >= escape)  # usually few
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
    """Return the positions that gap symbols of `width` bits encode."""
    escape = 2**width - 1
    is_value = symbols != escape
    steps = symbols.astype(np.int64) + is_value
    positions: NDArray[np.int64] = (np.cumsum(steps) - 1)[is_value]
    return positions
