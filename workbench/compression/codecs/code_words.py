"""Code words end to end: each symbol of a stream replaced by its word, most significant bit first.

Words of several neighbours are looked up at once, joined to at most 64 bits, and placed in 64-bit
words by running sums: no loop over symbols.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.compression.codecs.packing import join_eights, symbol_bits
from workbench.compression.pieces import in_pieces

Words = NDArray[np.uint64]
LENGTH = np.uint64(56)
"""Where in an entry of the table the length stands, above a code of at most so many bits."""
CODE = np.uint64(2**56 - 1)
SLACK = 16
"""Bytes that seven words of 15 bits can run over: what fills up the last eight symbols."""


class Table(NamedTuple):
    """Codes of every `run` of neighbours, with their lengths above them, by the neighbours' bits.

    `unit` is how many symbols can be joined to no more than 64 bits.
    """

    entries: Words
    bits: int
    run: int
    unit: int


def table(words: Words, lengths: NDArray[np.uint8], count: int) -> Table:
    """Return the table for a code that `count` symbols are written with."""
    bits, longest = symbol_bits(lengths.size), int(lengths.max(initial=0))
    unit = 8 if 8 * longest <= 64 else 4
    sizes = lengths.astype(np.uint64)
    run = 1
    fits = 2 ** (2 * bits) <= min(count, 2**16)  # else filling it takes longer than it spares
    codes, sizes = _padded(words, bits), _padded(sizes, bits)
    while fits and 2 * run <= unit and 2 * run * longest <= int(LENGTH):
        codes = ((codes[:, None] << sizes) | codes).reshape(-1)
        sizes = (sizes[:, None] + sizes).reshape(-1)
        run *= 2
        fits = codes.size**2 <= min(count, 2**16)
    return Table(codes | sizes << LENGTH, bits, run, unit)


def _padded(numbers: Words, bits: int) -> Words:
    return np.pad(numbers, (0, 2**bits - numbers.size))


def stream(
    symbols: NDArray[np.uint8], chosen: Table, total: int, block: int
) -> tuple[bytes, NDArray[np.int64]]:
    """Return the words of all `symbols` end to end, and the bits of each block of symbols.

    `total` is the bits of all; `block`, a multiple of eight, divides the symbols of a piece.
    """
    out = np.zeros((total + 7) // 8 + SLACK, np.uint8)
    ends, at = [], 0
    pieces = in_pieces(lambda piece: _placed(symbols[piece], chosen, block), symbols.size)
    for found, inside in pieces:
        ends.append(inside + at)
        first, phase = divmod(at, 8)
        out[first : first + found.size] |= found >> np.uint8(phase)
        if phase:
            out[first + 1 : first + 1 + found.size] |= found << np.uint8(8 - phase)
        at = int(ends[-1][-1])
    last = np.concatenate(ends)
    last[-1] = total  # not what fills up the last eight
    out = out[: (total + 7) // 8]
    if total % 8:
        out[-1] &= 0xFF << 8 - total % 8 & 0xFF
    return out.tobytes(), np.diff(last, prepend=0)


def _placed(
    symbols: NDArray[np.uint8], chosen: Table, block: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the words of a piece, in bytes, and where in bits each of its blocks ends."""
    codes, sizes = _units(symbols, chosen)
    ends = np.cumsum(sizes)
    starts = ends - sizes
    word, phase = starts >> np.uint64(6), starts & np.uint64(63)
    left = codes << (np.uint64(64) - sizes)
    # A unit touches the 64-bit word that it starts in, and at most the next one; every word but
    # the last has a unit that starts in it, of which only the last can run on.
    last = np.append(np.flatnonzero(word[1:] != word[:-1]), word.size - 1)
    first = np.append(0, last[:-1] + 1)
    joined = np.zeros(last.size + 1, np.uint64)
    joined[:-1] = np.bitwise_or.reduceat(left >> phase, first)
    joined[1:] |= left[last] << np.uint64(1) << (np.uint64(63) - phase[last])
    used = (int(ends[-1]) + 7) // 8
    blocks = np.append(ends[block // chosen.unit - 1 :: block // chosen.unit], ends[-1])
    count = -(-symbols.size // block)
    return joined.astype(">u8").view(np.uint8)[:used], blocks[:count].astype(np.int64)


def _units(symbols: NDArray[np.uint8], chosen: Table) -> tuple[Words, Words]:
    """Return the joined words of each `unit` neighbours, right-aligned, and their lengths."""
    numbers = join_eights(symbols, chosen.bits)
    width = chosen.bits * chosen.run
    shifts = range(8 * chosen.bits - width, -1, -width)
    mask = np.uint64(2**width - 1)
    found = [
        chosen.entries.take((numbers >> np.uint64(shift) & mask).view(np.int64)) for shift in shifts
    ]
    codes, sizes = [one & CODE for one in found], [one >> LENGTH for one in found]
    while len(codes) > 8 // chosen.unit:
        both = zip(codes[0::2], codes[1::2], sizes[1::2], strict=True)
        codes = [first << size | second for first, second, size in both]
        sizes = [first + second for first, second in zip(sizes[0::2], sizes[1::2], strict=True)]
    if len(codes) == 1:
        return codes[0], sizes[0]
    return np.stack(codes, axis=1).reshape(-1), np.stack(sizes, axis=1).reshape(-1)
