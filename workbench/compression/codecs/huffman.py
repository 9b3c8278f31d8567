"""Canonical Huffman coding of a symbol stream, in blocks that decode side by side.

A part is: the code lengths of all symbols (4 bits each, packed), the number of bits of every
block of 1,024 symbols (uint16, little-endian), and the bits themselves, most significant first.
Codes are canonical (shorter first, then smaller symbol), at most 15 bits long, so that the
lengths alone define them (Huffman 1952, "A method for the construction of minimum-redundancy
codes").
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.compression.codecs.packing import pack, packed_size, unpack

BLOCK = 1024
LONGEST = 15


@dataclass(frozen=True)
class Plan:
    """What coding a stream would take: `lengths` per symbol, and bytes."""

    lengths: NDArray[np.uint8]
    bits: int
    count: int

    @property
    def table_size(self) -> int:
        """Bytes of the code lengths and block sizes."""
        return table_size(self.lengths.size, self.count)

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self.table_size + (self.bits + 7) // 8


def table_size(alphabet: int, count: int) -> int:
    """Return the bytes of code lengths and block sizes for `count` symbols of an alphabet."""
    return packed_size(alphabet, 4) + 2 * -(-count // BLOCK)


def plan(symbols: NDArray[np.uint8], alphabet: int) -> Plan:
    """Return the code for `symbols` (uint8, below `alphabet`) and its cost."""
    return plan_of(np.bincount(symbols, minlength=alphabet))


def plan_of(counts: NDArray[np.int64]) -> Plan:
    """Return the code, and its cost, for a stream in which symbol s occurs `counts[s]` times."""
    lengths = code_lengths(counts.tolist())
    return Plan(lengths, int((counts * lengths).sum()), int(counts.sum()))


def code_lengths(counts: list[int]) -> NDArray[np.uint8]:
    """Return the Huffman code length of each symbol (0 where it never occurs), at most 15."""
    lengths = _lengths(counts)
    while max(lengths, default=0) > LONGEST:  # flatten the statistics until the code fits
        counts = [(count + 1) // 2 for count in counts]
        lengths = _lengths(counts)
    return np.array(lengths, np.uint8)


def _lengths(counts: list[int]) -> list[int]:
    heap = [(count, symbol) for symbol, count in enumerate(counts) if count]
    lengths = [0] * len(counts)
    if len(heap) == 1:
        lengths[heap[0][1]] = 1
        return lengths
    heapq.heapify(heap)
    parents: dict[int, int] = {}
    node = len(counts)
    while len(heap) > 1:
        first, left = heapq.heappop(heap)
        second, right = heapq.heappop(heap)
        parents[left] = parents[right] = node
        heapq.heappush(heap, (first + second, node))
        node += 1
    depth = {node - 1: 0}
    for child in range(node - 2, -1, -1):
        if child in parents:
            depth[child] = depth[parents[child]] + 1
            if child < len(counts):
                lengths[child] = depth[child]
    return lengths


def canonical(lengths: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return the canonical code word of each symbol, right-aligned."""
    codes = np.zeros(lengths.size, np.uint64)
    code, previous = 0, 0
    for symbol in np.lexsort((np.arange(lengths.size), lengths)).tolist():
        length = int(lengths[symbol])
        if length:
            code <<= length - previous
            codes[symbol] = code
            code += 1
            previous = length
    return codes


def encode(symbols: NDArray[np.uint8], coding: Plan) -> bytes:
    """Return the part that holds `symbols`, coded by their `plan`."""
    codes, lengths = _pairs(symbols, coding.lengths)
    ends = np.cumsum(lengths, dtype=np.int64)
    last = np.minimum(np.arange(BLOCK // 2, lengths.size + BLOCK // 2, BLOCK // 2), lengths.size)
    blocks = np.diff(ends[last - 1], prepend=0).astype("<u2")
    starts = ends - lengths
    # A pair is at most 30 bits, so it touches its own 32-bit word and at most the next one,
    # and every word but the last has a pair that starts in it.
    spread = codes << (64 - lengths - (starts & 31)).astype(np.uint64)
    first = np.flatnonzero(np.diff(starts >> 5, prepend=-1))
    joined = np.bitwise_or.reduceat(spread, first) if symbols.size else np.zeros(0, np.uint64)
    words = np.zeros(joined.size + 1, np.uint64)
    words[:-1] = joined >> np.uint64(32)
    words[1:] |= joined & np.uint64(0xFFFFFFFF)
    stream: bytes = words.astype(">u4").tobytes()[: (coding.bits + 7) // 8]
    return b"".join((pack(coding.lengths, 4), blocks.tobytes(), stream))


def _pairs(
    symbols: NDArray[np.uint8], lengths: NDArray[np.uint8]
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the code words and lengths of each two neighbours joined: half as many to place."""
    words = canonical(lengths)
    widths = lengths.astype(np.int64)
    even, odd = symbols[0::2], symbols[1::2]
    codes, sizes = words[even], widths[even]
    codes[: odd.size] <<= widths.astype(np.uint64)[odd]
    codes[: odd.size] |= words[odd]
    sizes[: odd.size] += widths[odd]
    return codes, sizes


def decode(data: bytes, alphabet: int, count: int) -> NDArray[np.uint8]:
    """Return the `count` symbols in the part `data`; all blocks step forward together.

    Raises
    ------
    ValueError
        When the code lengths or block sizes do not make sense.
    """
    table = packed_size(alphabet, 4)
    blocks = -(-count // BLOCK)
    lengths = unpack(data[:table], 4, alphabet)
    sizes = np.frombuffer(data, "<u2", blocks, table).astype(np.int64)
    stream = np.frombuffer(data, np.uint8, offset=table + 2 * blocks)
    total = int(sizes.sum())
    used = lengths[lengths > 0].astype(np.int64)
    full = int((1 << (LONGEST - used)).sum())
    if count and not (full == 1 << LONGEST or (used.size == 1 and used[0] == 1)):
        raise ValueError("the Huffman code is not complete")
    if (total + 7) // 8 != stream.size:
        raise ValueError("the Huffman blocks do not fill their stream")
    if (sizes[:-1] < BLOCK).any():  # a symbol takes a bit: bounds the memory below by the stream
        raise ValueError("a Huffman block is shorter than its symbols")
    if used.size == 1 and stream.any():
        raise ValueError("the Huffman stream holds a word that stands for nothing")
    symbol_at = np.zeros(1 << LONGEST, np.uint8)
    length_at = np.ones(1 << LONGEST, np.int64)
    for symbol, code in enumerate(canonical(lengths).tolist()):
        length = int(lengths[symbol])
        if length:
            low = code << (LONGEST - length)
            high = (code + 1) << (LONGEST - length)
            symbol_at[low:high] = symbol
            length_at[low:high] = length
    # A broken stream may run on: no further than a block of the longest words, into zeros.
    padded = np.zeros(stream.size + BLOCK * LONGEST // 8 + 4, np.uint32)
    padded[: stream.size] = stream
    window = (padded[:-3] << 24) | (padded[1:-2] << 16) | (padded[2:-1] << 8) | padded[3:]
    ends = np.cumsum(sizes)
    at = ends - sizes
    out = np.zeros((min(BLOCK, count), blocks), np.uint8)
    for step in range(min(BLOCK, count)):
        active = blocks if step < count - (blocks - 1) * BLOCK else blocks - 1
        here = at[:active]
        peek = (window[here >> 3] << (here & 7).astype(np.uint32)) >> np.uint32(32 - LONGEST)
        out[step, :active] = symbol_at[peek]
        at[:active] += length_at[peek]
    if not np.array_equal(at, ends):
        raise ValueError("a Huffman block does not end where it says")
    return out.T.reshape(-1)[:count].copy()
