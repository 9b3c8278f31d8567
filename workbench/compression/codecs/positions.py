"""The positions of stored values, encoded in the shortest of several ways.

All values are stored, or positions are a bitmap of the nonzero values, the gaps between them, or,
after pruning with a pattern, a symbol per run or a bit per block. Symbols are packed or Huffman
coded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb, prod
from typing import Any, NamedTuple

import numpy as np

from workbench.compression.codecs import blocks, gaps, huffman, runs
from workbench.compression.codecs.packing import pack, packed_size, symbol_bits, unpack
from workbench.compression.sparsity_patterns import Flags, Shape
from workbench.recipe import Prune


@dataclass(frozen=True)
class Index:
    """One way to write positions.

    Attributes
    ----------
    kind : str
        ``all``, ``bitmap``, ``gaps``, ``runs`` or ``blocks``.
    size : int
        In bytes.
    stored : array of bool or None
        The flat values that are written; None for all. They include every nonzero value, and with
        ``runs`` and ``blocks`` some zeros.
    width, count : int
        The bits and number of gap symbols, or the width of a pattern and the values per run.
    plan : Plan or None
        The Huffman code of the symbols; None if they are packed.
    """

    kind: str
    size: int
    stored: Flags | None = None
    width: int = 0
    count: int = 0
    plan: huffman.Plan | None = None

    @property
    def holds_zeros(self) -> bool:
        """Whether the written values may include zeros."""
        return self.kind not in EXACT


EXACT = frozenset({"bitmap", "gaps"})
"""The kinds that store exactly the nonzero values."""


class Sizes(NamedTuple):
    """The number of stored values, the bytes of the index, and those of its Huffman table."""

    values: int
    places: int
    table: int


def indices(nonzero: Flags, shape: Shape, prune: Prune | None) -> Iterator[list[Index]]:
    """Yield ways to write the positions where `nonzero` (flat) is True.

    All entries of a list write the same positions, so that the shortest of them is the best.
    """
    if not nonzero.any():
        yield [Index("gaps", 0, nonzero, width=gaps.WIDTHS[0])]
        return
    yield [Index("bitmap", (nonzero.size + 7) // 8, nonzero), *_gaps(nonzero)]
    if prune is not None and len(shape) >= 2 and prune.pattern == "n_m":
        if options := [*_runs(nonzero, shape, prune.width)]:
            yield options
    elif prune is not None and len(shape) >= 2 and prune.pattern == "block":
        block_flags = blocks.stored_blocks(nonzero, shape, prune.width)
        stored = blocks.stored(block_flags, shape, prune.width)
        yield [Index("blocks", (block_flags.size + 7) // 8, stored, prune.width)]


def _gaps(nonzero: Flags) -> Iterator[Index]:
    symbols = gaps.Gaps(nonzero).counts()
    counts = {width: int(tally.sum()) for width, tally in symbols.items()}
    width = min(counts, key=lambda w: packed_size(counts[w], w))
    yield Index("gaps", packed_size(counts[width], width), nonzero, width, counts[width])
    widest = gaps.WIDTHS[-1]
    plan = huffman.plan_of(symbols[widest])
    yield Index("gaps", plan.size, nonzero, widest, plan.count, plan)


def _runs(nonzero: Flags, shape: Shape, width: int) -> Iterator[Index]:
    per_run = runs.max_per_run(nonzero, shape, width)
    if 0 < per_run < width and comb(width, per_run) <= runs.MAX_PATTERNS:
        symbols, places = runs.symbols(nonzero, shape, width, per_run)
        packed = packed_size(symbols.size, symbol_bits(comb(width, per_run)))
        yield Index("runs", packed, places, width, per_run)
        plan = huffman.plan(symbols, comb(width, per_run))
        yield Index("runs", plan.size, places, width, per_run, plan)


def describe(index: Index) -> dict[str, Any]:
    """Return the header entry of `index`."""
    if index.stored is None:
        return {}
    stored = int(np.count_nonzero(index.stored))
    if index.kind == "bitmap":
        return {"bitmap": stored}
    data = {
        "gaps": [stored, index.count, index.width],
        "runs": [index.width, index.count],
        "blocks": [stored, index.width],
    }[index.kind]
    return {index.kind: [*data, index.size] if index.plan else data}


def sizes(entry: dict[str, Any]) -> Sizes:
    """Return the number of stored values and the index sizes that a header entry describes."""
    shape = tuple(entry["shape"])
    if "bitmap" in entry:
        return Sizes(entry["bitmap"], (prod(shape) + 7) // 8, 0)
    if "blocks" in entry:
        count, width = entry["blocks"]
        return Sizes(count, (blocks.count_of(shape, width) + 7) // 8, 0)
    if "gaps" in entry:
        count, symbols, bits, *coded = entry["gaps"]
        alphabet = 2**bits
    elif "runs" in entry:
        width, per_run, *coded = entry["runs"]
        symbols, count = runs.size_of(shape, width, per_run)
        alphabet = comb(width, per_run)
        bits = symbol_bits(alphabet)
    else:
        return Sizes(prod(shape), 0, 0)
    if coded:
        return Sizes(count, coded[0], huffman.table_size(alphabet, symbols))
    return Sizes(count, packed_size(symbols, bits), 0)


def write(index: Index, nonzero: Flags, shape: Shape) -> bytes:
    """Return the bytes of `index`."""
    if index.stored is None:
        return b""
    if index.kind == "bitmap":
        return np.packbits(nonzero).tobytes()
    if index.kind == "blocks":
        return np.packbits(blocks.stored_blocks(nonzero, shape, index.width)).tobytes()
    if index.kind == "runs":
        bits = symbol_bits(comb(index.width, index.count))
        symbols, _places = runs.symbols(nonzero, shape, index.width, index.count)
    else:
        bits = index.width
        symbols = gaps.Gaps(index.stored).symbols(bits)
    return huffman.encode(symbols, index.plan) if index.plan else pack(symbols, bits)


def read(entry: dict[str, Any], data: bytes) -> Flags | None:
    """Return a mask of the flat values that are stored, or None if all are.

    Raises
    ------
    ValueError
        If `data` does not match the entry.
    """
    shape = tuple(entry["shape"])
    if "bitmap" in entry:
        stored = np.unpackbits(np.frombuffer(data, np.uint8), count=prod(shape)).view(np.bool_)
    elif "blocks" in entry:
        width = entry["blocks"][1]
        flags = np.unpackbits(np.frombuffer(data, np.uint8), count=blocks.count_of(shape, width))
        stored = blocks.stored(flags.view(np.bool_), shape, width)
    elif "gaps" in entry:
        _values, count, bits, *coded = entry["gaps"]
        symbols = huffman.decode(data, 2**bits, count) if coded else unpack(data, bits, count)
        stored = np.zeros(prod(shape), np.bool_)
        gaps.set_flags(stored, symbols, bits)
    elif "runs" in entry:
        width, per_run, *coded = entry["runs"]
        count, _values = runs.size_of(shape, width, per_run)
        alphabet = comb(width, per_run)
        bits = symbol_bits(alphabet)
        symbols = huffman.decode(data, alphabet, count) if coded else unpack(data, bits, count)
        stored = runs.stored(symbols, shape, width, per_run)
    else:
        return None
    if np.count_nonzero(stored) != sizes(entry).values:
        raise ValueError("the index does not fit the tensor")
    return stored
