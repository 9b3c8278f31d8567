"""Write code words end to end, most significant bit first.

The code words of several neighbors are looked up at once, joined to at most 64 bits, and placed in
64-bit machine words by cumulative sums, without a loop over symbols.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.compression.codecs.packing import join_eights, symbol_bits
from workbench.compression.pieces import in_pieces

Words = NDArray[np.uint64]
LENGTH = np.uint64(56)
"""The bit of a table entry at which the length begins, above a code of at most 56 bits."""
CODE = np.uint64(2**56 - 1)
SLACK = 16
"""Extra bytes for the code words of up to seven symbols that pad the last eight."""


class Table(NamedTuple):
    """The joined code words of every combination of `run` neighbors.

    Attributes
    ----------
    entries : array
        By the neighbors' bits: the joined words, with their length above them.
    bits : int
        Bits of a symbol.
    run : int
        Symbols per lookup.
    unit : int
        How many code words always fit in 64 bits.
    """

    entries: Words
    bits: int
    run: int
    unit: int


def build_table(words: Words, lengths: NDArray[np.uint8], count: int) -> Table:
    """Return the table to write `count` symbols with a code of `words` and `lengths`."""
    bits, longest = symbol_bits(lengths.size), int(lengths.max(initial=0))
    unit = 8 if 8 * longest <= 64 else 4
    sizes = lengths.astype(np.uint64)
    run = 1
    fits = 2 ** (2 * bits) <= min(count, 2**16)  # else filling the table costs more than it saves
    codes, sizes = _padded(words, bits), _padded(sizes, bits)
    while fits and 2 * run <= unit and 2 * run * longest <= int(LENGTH):
        codes = ((codes[:, None] << sizes) | codes).reshape(-1)
        sizes = (sizes[:, None] + sizes).reshape(-1)
        run *= 2
        fits = codes.size**2 <= min(count, 2**16)
    return Table(codes | sizes << LENGTH, bits, run, unit)


def _padded(numbers: Words, bits: int) -> Words:
    return np.pad(numbers, (0, 2**bits - numbers.size))


def write_stream(
    symbols: NDArray[np.uint8], table: Table, total: int, block: int
) -> tuple[bytes, NDArray[np.int64]]:
    """Write the code words of all `symbols`; return the bytes, and the bits of each block.

    `total` is the number of bits. `block`, the symbols of a block, is a multiple of eight and
    divides a piece.
    """
    out = np.zeros((total + 7) // 8 + SLACK, np.uint8)
    ends, at = [], 0
    pieces = in_pieces(lambda piece: _write_piece(symbols[piece], table, block), symbols.size)
    for data, piece_ends in pieces:
        ends.append(piece_ends + at)
        first, phase = divmod(at, 8)
        out[first : first + data.size] |= data >> np.uint8(phase)
        if phase:
            out[first + 1 : first + 1 + data.size] |= data << np.uint8(8 - phase)
        at = int(ends[-1][-1])
    block_ends = np.concatenate(ends)
    block_ends[-1] = total  # without the padding of the last eight symbols
    out = out[: (total + 7) // 8]
    if total % 8:
        out[-1] &= 0xFF << 8 - total % 8 & 0xFF
    return out.tobytes(), np.diff(block_ends, prepend=0)


def _write_piece(
    symbols: NDArray[np.uint8], table: Table, block: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the bytes of a piece, and the bit at which each of its blocks ends."""
    codes, sizes = _units(symbols, table)
    ends = np.cumsum(sizes)
    starts = ends - sizes
    word, phase = starts >> np.uint64(6), starts & np.uint64(63)
    aligned = codes << (np.uint64(64) - sizes)
    # A unit touches the machine word in which it starts and at most the next one. A unit starts in
    # every word but the last, and only the last one in a word can extend into the next.
    last = np.append(np.flatnonzero(word[1:] != word[:-1]), word.size - 1)
    first = np.append(0, last[:-1] + 1)
    joined = np.zeros(last.size + 1, np.uint64)
    joined[:-1] = np.bitwise_or.reduceat(aligned >> phase, first)
    joined[1:] |= aligned[last] << np.uint64(1) << (np.uint64(63) - phase[last])
    used = (int(ends[-1]) + 7) // 8
    blocks = np.append(ends[block // table.unit - 1 :: block // table.unit], ends[-1])
    count = -(-symbols.size // block)
    return joined.astype(">u8").view(np.uint8)[:used], blocks[:count].astype(np.int64)


def _units(symbols: NDArray[np.uint8], table: Table) -> tuple[Words, Words]:
    """Return the joined code words of each `unit` neighbors, right-aligned, and their lengths."""
    numbers = join_eights(symbols, table.bits)
    width = table.bits * table.run
    shifts = range(8 * table.bits - width, -1, -width)
    mask = np.uint64(2**width - 1)
    entries = [
        table.entries.take((numbers >> np.uint64(shift) & mask).view(np.int64)) for shift in shifts
    ]
    codes, sizes = [entry & CODE for entry in entries], [entry >> LENGTH for entry in entries]
    while len(codes) > 8 // table.unit:
        pairs = zip(codes[0::2], codes[1::2], sizes[1::2], strict=True)
        codes = [first << size | second for first, second, size in pairs]
        sizes = [first + second for first, second in zip(sizes[0::2], sizes[1::2], strict=True)]
    if len(codes) == 1:
        return codes[0], sizes[0]
    return np.stack(codes, axis=1).reshape(-1), np.stack(sizes, axis=1).reshape(-1)
