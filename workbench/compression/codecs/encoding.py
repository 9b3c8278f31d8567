"""Choose the smallest encoding of each tensor: the positions of its values, and the values.

Positions are encoded as in `positions`. Values are stored unchanged, packed, or Huffman coded. The
pair with the fewest bytes is chosen.
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
    """How `count` values are written: `kind` is plain, packed or huffman; `size` is in bytes."""

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
        """Bytes of positions and values. Scales are the same for every encoding."""
        return self.index.size + self.values.size


@dataclass(frozen=True)
class EncodingOptions:
    """The encodings considered for one tensor: with every value, and without the zeros.

    `nonzero` is the number of values other than zero.
    """

    dense: Encoding
    sparse: Encoding | None
    nonzero: int

    @property
    def best(self) -> Encoding:
        """The smaller encoding; the dense one in a tie."""
        if self.sparse is None or self.dense.size <= self.sparse.size:
            return self.dense
        return self.sparse


DENSE = Index("all", 0)


def encodings(
    coded: Single, prune: Prune | None = None, *, include_larger: bool = True
) -> EncodingOptions:
    """Return the best dense and the best sparse encoding of a tensor that `prune` has pruned.

    Without `include_larger`, the sparse encoding is skipped if a lower bound of its size, which is
    fast to compute, is not below the dense one.
    """
    mask = coded.nonzero
    nonzero = int(np.count_nonzero(mask))
    counts = None
    if not isinstance(coded, Uncompressed):
        counts = huffman.count_symbols(*symbols_of(coded, DENSE))
    dense = Encoding(DENSE, choose_values(coded, DENSE, counts))
    if nonzero == mask.size:
        return EncodingOptions(dense, None, nonzero)
    if not include_larger and (prune is None or prune.pattern == "free"):
        values = choose_values(coded, Index("bitmap", 0, mask), counts)
        if dense.size <= values.size + nonzero // 8:  # a position takes at least one bit
            return EncodingOptions(dense, None, nonzero)
    candidates = indices(mask, coded.coded_shape, prune)
    smallest = [min(same, key=lambda index: index.size) for same in candidates]
    sparse = [Encoding(index, choose_values(coded, index, counts)) for index in smallest]
    return EncodingOptions(dense, min(sparse, key=lambda encoding: encoding.size), nonzero)


def choose_values(coded: Single, index: Index, counts: Counts | None = None) -> Values:
    """Return the smallest way to write the values at the positions of `index`.

    `counts` is how often each code occurs in the whole tensor, zeros included, if known.
    """
    if isinstance(coded, Uncompressed):
        count = coded.bits.size if index.stored is None else int(np.count_nonzero(index.stored))
        return Values("plain", count * coded.bits.itemsize, count)
    written = _written_counts(coded, index, counts)
    plan = huffman.plan_of(written)
    packed = Values("packed", packed_size(plan.count, symbol_bits(written.size)), plan.count)
    entropy = Values("huffman", plan.size, plan.count, plan)
    return min(packed, entropy, key=lambda values: values.size)


def _written_counts(coded: Codes | Shared, index: Index, counts: Counts | None) -> Counts:
    """Return how often each symbol is written, derived from the tensor's `counts` if possible."""
    one_zero = isinstance(coded, Shared) or not coded.affine
    if counts is None or (index.stored is not None and (index.holds_zeros or not one_zero)):
        return huffman.count_symbols(*symbols_of(coded, index))
    if index.stored is None:
        return counts
    if isinstance(coded, Shared):
        return counts[int(coded.zero) :]
    without_zero = counts.copy()
    without_zero[2 ** (coded.bits - 1) - 1] = 0
    return without_zero


def symbols_of(coded: Codes | Shared, index: Index) -> tuple[NDArray[np.uint8], int]:
    """Return the symbols that are written, and the size of their alphabet."""
    symbols = coded.codes if index.stored is None else take_stored(coded.codes, index.stored)
    if isinstance(coded, Codes):
        return symbols, 2**coded.bits
    skipped = 0 if index.holds_zeros else int(coded.zero)  # the code of zero does not occur
    return symbols - np.uint8(skipped), coded.alphabet - skipped


def take_stored(values: NDArray[Any], stored: Flags) -> NDArray[Any]:
    """Return the flat `values` where `stored` is True, in order."""
    return np.concatenate(
        [*in_pieces(lambda at: values[at].take(np.flatnonzero(stored[at])), values.size)]
    )
