"""The smallest form of each tensor: which values are written, how, and where the zeros are.

Positions: every value; a bitmap of the non-zero ones; or gaps between them, packed or Huffman
coded. Values: as they are, packed, or Huffman coded. The pair with the fewest bytes is written.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.compression.codecs import gaps, huffman
from workbench.compression.codecs.packing import packed_size
from workbench.compression.coded import Coded, Plain


@dataclass(frozen=True)
class Index:
    """How positions are written: `kind` is all, bitmap, gaps or gaps-huffman; `size` in bytes.

    `width` and `count` are the bits and number of gap symbols.
    """

    kind: str
    size: int
    width: int = 0
    count: int = 0
    plan: huffman.Plan | None = None


@dataclass(frozen=True)
class Values:
    """How `count` values are written: `kind` is plain, packed or huffman; `size` in bytes."""

    kind: str
    size: int
    count: int
    plan: huffman.Plan | None = None


@dataclass(frozen=True)
class Form:
    """One way to write a tensor."""

    index: Index
    values: Values

    @property
    def size(self) -> int:
        """Bytes of positions and values; scales are the same for every form."""
        return self.index.size + self.values.size


@dataclass(frozen=True)
class Forms:
    """The ways considered for one tensor: with every value written, and without the zeros.

    `positions` are the flat places of the non-zero values.
    """

    dense: Form
    sparse: Form | None
    positions: NDArray[np.int64]

    @property
    def best(self) -> Form:
        """The smaller one; dense where they tie."""
        if self.sparse is None or self.dense.size <= self.sparse.size:
            return self.dense
        return self.sparse


def forms(coded: Coded) -> Forms:
    """Return the best dense and the best sparse form of a coded tensor."""
    positions = np.flatnonzero(coded.nonzero)
    total = coded.bits.size if isinstance(coded, Plain) else coded.codes.size
    everything = Form(Index("all", 0), _values(coded, None, total))
    if positions.size == total:
        return Forms(everything, None, positions)
    sparse = Form(_index(positions, total), _values(coded, positions, positions.size))
    return Forms(everything, sparse, positions)


def _index(positions: NDArray[np.int64], total: int) -> Index:
    bitmap = Index("bitmap", (total + 7) // 8)
    if not positions.size:
        return Index("gaps", 0, width=gaps.WIDTHS[0])
    tally = np.bincount(gaps.gaps(positions))
    symbols = {width: gaps.symbol_counts(tally, width) for width in gaps.WIDTHS}
    counts = {width: int(found.sum()) for width, found in symbols.items()}
    width = min(counts, key=lambda w: packed_size(counts[w], w))
    packed = Index("gaps", packed_size(counts[width], width), width, counts[width])
    widest = gaps.WIDTHS[-1]
    plan = huffman.plan_of(symbols[widest])
    coded = Index("gaps-huffman", plan.size, widest, plan.count, plan)
    return min(bitmap, packed, coded, key=lambda index: index.size)


def _values(coded: Coded, positions: NDArray[np.int64] | None, count: int) -> Values:
    if isinstance(coded, Plain):
        return Values("plain", count * coded.bits.itemsize, count)
    packed = Values("packed", packed_size(count, coded.bits), count)
    symbols = coded.codes if positions is None else coded.codes[positions]
    plan = huffman.plan(symbols, 2**coded.bits)
    entropy = Values("huffman", plan.size, count, plan)
    return min(packed, entropy, key=lambda values: values.size)
