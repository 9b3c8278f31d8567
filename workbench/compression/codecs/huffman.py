"""Canonical Huffman coding of a symbol stream, in blocks that are decoded in parallel.

The encoded part consists of the code lengths of all symbols (4 bits each, packed), the number of
bits of each block of 1,024 symbols (uint16, little-endian), and the code words, most significant
bit first. Codes are canonical (shorter first, then smaller symbol) and at most 15 bits long, so
that the lengths define them (Huffman 1952, "A method for the construction of minimum-redundancy
codes").
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.compression.codecs import code_words
from workbench.compression.codecs.packing import pack, packed_size, symbol_bits, unpack
from workbench.compression.pieces import in_pieces
from workbench.threads import parallel_map

BLOCK = 1024
MAX_CODE_LENGTH = 15
BLOCKS_PER_TASK = 2048
"""The number of blocks that one task decodes together."""


@dataclass(frozen=True)
class Plan:
    """A Huffman code (`lengths` by symbol) and its cost for a stream of `count` symbols."""

    lengths: NDArray[np.uint8]
    bits: int
    count: int

    @property
    def table_size(self) -> int:
        """Bytes of the code lengths and block sizes."""
        return table_size(self.lengths.size, self.count)

    @property
    def size(self) -> int:
        """Bytes in total."""
        return self.table_size + (self.bits + 7) // 8


def table_size(alphabet: int, count: int) -> int:
    """Return the bytes of code lengths and block sizes for `count` symbols."""
    return packed_size(alphabet, 4) + 2 * -(-count // BLOCK)


def plan(symbols: NDArray[np.uint8], alphabet: int) -> Plan:
    """Return the code for `symbols` (uint8, below `alphabet`) and its cost."""
    return plan_of(count_symbols(symbols, alphabet))


def count_symbols(symbols: NDArray[np.uint8], alphabet: int) -> NDArray[np.int64]:
    """Return how often each of `alphabet` symbols occurs."""
    if symbol_bits(alphabet) > 4:
        return _sum_pieces(lambda at: np.bincount(symbols[at], minlength=alphabet), symbols.size)
    even = symbols.size // 2 * 2

    def pairs(piece: slice) -> NDArray[np.int64]:
        pair = symbols[piece][: even - piece.start].view(np.uint16)  # half as many to count
        return np.bincount((pair << 4 | pair >> 8).astype(np.uint8), minlength=256)

    pair_counts = _sum_pieces(pairs, symbols.size).reshape(16, 16)
    counts: NDArray[np.int64] = pair_counts.sum(axis=0) + pair_counts.sum(axis=1)
    counts[symbols[even:]] += 1
    return counts[:alphabet]


def _sum_pieces(count: Callable[[slice], NDArray[np.int64]], size: int) -> NDArray[np.int64]:
    total: NDArray[np.int64] = np.sum([*in_pieces(count, size)], axis=0)
    return total


def plan_of(counts: NDArray[np.int64]) -> Plan:
    """Return the code for a stream in which symbol s occurs `counts[s]` times, and its cost."""
    lengths = code_lengths(counts.tolist())
    return Plan(lengths, int((counts * lengths).sum()), int(counts.sum()))


def code_lengths(counts: list[int]) -> NDArray[np.uint8]:
    """Return the Huffman code length of each symbol, at most 15; 0 if it never occurs."""
    lengths = _lengths(counts)
    while max(lengths, default=0) > MAX_CODE_LENGTH:  # flatten the counts until the code fits
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
        first, first_node = heapq.heappop(heap)
        second, second_node = heapq.heappop(heap)
        parents[first_node] = parents[second_node] = node
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
    """Return the encoded part of `symbols` with their `coding`."""
    stream, sizes = b"", np.zeros(0, np.int64)
    if symbols.size:
        words = canonical(coding.lengths)
        table = code_words.build_table(words, coding.lengths, symbols.size)
        stream, sizes = code_words.write_stream(symbols, table, coding.bits, BLOCK)
    return b"".join((pack(coding.lengths, 4), sizes.astype("<u2").tobytes(), stream))


def decode(data: bytes, alphabet: int, count: int) -> NDArray[np.uint8]:
    """Return the `count` symbols of an encoded part. All blocks advance together.

    Raises
    ------
    ValueError
        If the code lengths or block sizes are invalid.
    """
    table = packed_size(alphabet, 4)
    blocks = -(-count // BLOCK)
    lengths = unpack(data[:table], 4, alphabet)
    sizes = np.frombuffer(data, "<u2", blocks, table).astype(np.int64)
    stream = np.frombuffer(data, np.uint8, offset=table + 2 * blocks)
    total = int(sizes.sum())
    used = lengths[lengths > 0].astype(np.int64)
    full = int((1 << (MAX_CODE_LENGTH - used)).sum())
    if count and not (full == 1 << MAX_CODE_LENGTH or (used.size == 1 and used[0] == 1)):
        raise ValueError("the Huffman code is not complete")
    if (total + 7) // 8 != stream.size:
        raise ValueError("the Huffman blocks do not fill their stream")
    if (
        sizes[:-1] < BLOCK
    ).any():  # each symbol takes a bit, so that memory is bounded by the stream
        raise ValueError("a Huffman block is shorter than its symbols")
    if used.size == 1 and stream.any():
        raise ValueError("the Huffman stream holds an invalid code word")
    symbol_at = np.zeros(1 << MAX_CODE_LENGTH, np.uint8)
    length_at = np.ones(1 << MAX_CODE_LENGTH, np.int64)
    for symbol, code in enumerate(canonical(lengths).tolist()):
        length = int(lengths[symbol])
        if length:
            low = code << (MAX_CODE_LENGTH - length)
            high = (code + 1) << (MAX_CODE_LENGTH - length)
            symbol_at[low:high] = symbol
            length_at[low:high] = length
    ends = np.cumsum(sizes)
    out = np.zeros(blocks * BLOCK, np.uint8)

    def fill(group: slice) -> None:
        at, last = ends[group] - sizes[group], ends[group]
        first = int(at[0]) >> 3
        target = out[group.start * BLOCK : group.stop * BLOCK].reshape(-1, BLOCK)
        steps = min(BLOCK, count)
        short = count - (blocks - 1) * BLOCK if group.stop == blocks else BLOCK
        at -= first << 3
        read = stream[first : (int(last[-1]) + 7) // 8]
        _step(_windows(read), at, target, (symbol_at, length_at), steps, short)
        if not np.array_equal(at + (first << 3), last):
            raise ValueError("a Huffman block does not end at its stated size")

    groups = [
        slice(at, min(at + BLOCKS_PER_TASK, blocks)) for at in range(0, blocks, BLOCKS_PER_TASK)
    ]
    for _ in parallel_map(fill, groups):
        pass
    return out[:count]


def _windows(stream: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return the 32 bits that begin at each byte."""
    # A damaged stream can be read past its end, by at most a block of the longest words.
    padded = np.zeros(stream.size + BLOCK * MAX_CODE_LENGTH // 8 + 4, np.uint32)
    padded[: stream.size] = stream
    windows = padded[3:].copy()
    for place, shift in enumerate((24, 16, 8)):
        windows |= padded[place : place - 3] << np.uint32(shift)
    return windows


def _step(
    window: NDArray[np.uint32],
    at: NDArray[np.int64],
    target: NDArray[np.uint8],
    tables: tuple[NDArray[np.uint8], NDArray[np.int64]],
    steps: int,
    short: int,
) -> None:
    """Decode all blocks together, one symbol per step; the last has only `short` symbols."""
    symbol_at, length_at = tables
    rows = np.zeros((steps, at.size), np.uint8)
    for step in range(steps):
        active = at.size if step < short else at.size - 1
        here = at[:active]
        peek = (window[here >> 3] << (here & 7).astype(np.uint32)) >> np.uint32(
            32 - MAX_CODE_LENGTH
        )
        rows[step, :active] = symbol_at[peek]
        here += length_at[peek]
    target[:, :steps] = rows.T
