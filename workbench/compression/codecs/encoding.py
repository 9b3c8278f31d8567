"""The smallest form of each tensor: where its values stand, and how they are written.

Positions are written as `index` says, values as they are, packed, or Huffman coded. The pair with
the fewest bytes is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.compression.codecs import huffman
from workbench.compression.codecs.packing import packed_size, symbol_bits
from workbench.compression.codecs.positions import Index, indices
from workbench.compression.coded import Codes, Shared, Single, Uncompressed
from workbench.compression.pieces import in_pieces
from workbench.compression.sparsity_patterns import Flags
from workbench.recipe import Prune

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Values:
    """How `count` values are written: `kind` is plain, packed or huffman; `size` in bytes."""

    kind: str
    size: int
    count: int
    plan: huffman.Plan | None = None


@dataclass(frozen=True)
class Encoding:
    """One way to write a tensor."""

    index: Index
    values: Values

    @property
    def size(self) -> int:
        """Bytes of positions and values; scales are the same for every form."""
        return self.index.size + self.values.size


@dataclass(frozen=True)
class EncodingOptions:
    """The ways considered for one tensor: with every value written, and without the zeros.

    `nonzero` counts the values other than zero.
    """

    dense: Encoding
    sparse: Encoding | None
    nonzero: int

    @property
    def best(self) -> Encoding:
        """The smaller one; dense where they tie."""
        if self.sparse is None or self.dense.size <= self.sparse.size:
            return self.dense
        return self.sparse


DENSE = Index("all", 0)


def encodings(
    coded: Single, prune: Prune | None = None, *, include_larger: bool = True
) -> EncodingOptions:
    """Return the best dense and the best sparse form of a coded tensor, pruned by `prune`.

    Without `losing`, the sparse one is left out where it cannot be smaller, which is soon known.
    """
    flags = coded.nonzero
    nonzero = int(np.count_nonzero(flags))
    counts = (
        None
        if isinstance(coded, Uncompressed)
        else huffman.count_symbols(*symbols_of(coded, DENSE))
    )
    everything = Encoding(DENSE, choose_values(coded, DENSE, counts))
    if nonzero == flags.size:
        return EncodingOptions(everything, None, nonzero)
    if not include_larger and (prune is None or prune.pattern == "free"):
        values = choose_values(coded, Index("bitmap", 0, flags), counts)
        if everything.size <= values.size + nonzero // 8:  # a place takes a bit at the least
            return EncodingOptions(everything, None, nonzero)
    ways = indices(flags, coded.coded_shape, prune)
    shortest = [min(same, key=lambda index: index.size) for same in ways]
    sparse = [Encoding(index, choose_values(coded, index, counts)) for index in shortest]
    return EncodingOptions(everything, min(sparse, key=lambda form: form.size), nonzero)


def choose_values(coded: Single, index: Index, everything: Counts | None = None) -> Values:
    """Return the smallest way to write the values of which `index` gives the places.

    `everything` is how often each code occurs, zeros among them, where that is known.
    """
    if isinstance(coded, Uncompressed):
        count = coded.bits.size if index.stored is None else int(np.count_nonzero(index.stored))
        return Values("plain", count * coded.bits.itemsize, count)
    counts = _counts(coded, index, everything)
    plan = huffman.plan_of(counts)
    packed = Values("packed", packed_size(plan.count, symbol_bits(counts.size)), plan.count)
    entropy = Values("huffman", plan.size, plan.count, plan)
    return min(packed, entropy, key=lambda values: values.size)


def _counts(coded: Codes | Shared, index: Index, everything: Counts | None) -> Counts:
    """Return how often each symbol is written: without taking them out, where zero is one code."""
    one_zero = isinstance(coded, Shared) or not coded.affine
    if everything is None or (index.stored is not None and (index.holds_zeros or not one_zero)):
        return huffman.count_symbols(*symbols_of(coded, index))
    if index.stored is None:
        return everything
    if isinstance(coded, Shared):
        return everything[int(coded.zero) :]
    counts = everything.copy()
    counts[2 ** (coded.bits - 1) - 1] = 0
    return counts


def symbols_of(coded: Codes | Shared, index: Index) -> tuple[NDArray[np.uint8], int]:
    """Return the symbols that are written, and how many different ones there may be."""
    symbols = coded.codes if index.stored is None else take_stored(coded.codes, index.stored)
    if isinstance(coded, Codes):
        return symbols, 2**coded.bits
    skipped = 0 if index.holds_zeros else int(coded.zero)  # the code of zero does not occur
    return symbols - np.uint8(skipped), coded.alphabet - skipped


def take_stored(values: NDArray[Any], stored: Flags) -> NDArray[Any]:
    """Return those of the flat `values` that are `stored`, in order."""
    return np.concatenate(
        [*in_pieces(lambda at: values[at].take(np.flatnonzero(stored[at])), values.size)]
    )
