"""The smallest form of each tensor: where its values stand, and how they are written.

Positions are written as `index` says, values as they are, packed, or Huffman coded. The pair with
the fewest bytes is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.compression.codecs import huffman
from workbench.compression.codecs.index import Index, indices
from workbench.compression.codecs.packing import packed_size
from workbench.compression.coded import Coded, Plain
from workbench.recipe import Prune


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

    `nonzero` counts the values other than zero.
    """

    dense: Form
    sparse: Form | None
    nonzero: int

    @property
    def best(self) -> Form:
        """The smaller one; dense where they tie."""
        if self.sparse is None or self.dense.size <= self.sparse.size:
            return self.dense
        return self.sparse


def forms(coded: Coded, prune: Prune | None = None) -> Forms:
    """Return the best dense and the best sparse form of a coded tensor, pruned by `prune`."""
    flags = coded.nonzero
    nonzero = int(np.count_nonzero(flags))
    everything = Form(Index("all", 0), values_of(coded, None))
    if nonzero == flags.size:
        return Forms(everything, None, nonzero)
    ways = indices(flags, coded.shape, prune)
    sparse = [Form(index, values_of(coded, index.positions)) for index in ways]
    return Forms(everything, min(sparse, key=lambda form: form.size), nonzero)


def values_of(coded: Coded, positions: NDArray[np.int64] | None) -> Values:
    """Return the smallest way to write the values at flat `positions`, or all of them."""
    whole = coded.bits.size if isinstance(coded, Plain) else coded.codes.size
    count = whole if positions is None else positions.size
    if isinstance(coded, Plain):
        return Values("plain", count * coded.bits.itemsize, count)
    packed = Values("packed", packed_size(count, coded.bits), count)
    symbols = coded.codes if positions is None else coded.codes[positions]
    plan = huffman.plan(symbols, 2**coded.bits)
    entropy = Values("huffman", plan.size, count, plan)
    return min(packed, entropy, key=lambda values: values.size)
