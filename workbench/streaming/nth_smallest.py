"""The n-th smallest of more numbers than memory holds: exact, by the digits of their bits.

The bits of floats that are not negative rise with their value. A pass over all numbers counts those
bits, 16 at a time, among the numbers that share the digits found before: one pass finds a
bfloat16, two a float32, four a float64 (Knuth, "The Art of Computer Programming" 3, 5.2.5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

DIGIT = 16

SortKeys = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True)
class Threshold:
    """Everything below `key` goes, and the first `ties` of what is equal to it."""

    key: int
    ties: int


def sort_keys(numbers: Tensor, bits: int) -> SortKeys:
    """Return numbers, 0 or more, as whole numbers of 16, 32 or 64 `bits` in the same order, flat.

    Exactly the same: 16 bits are for bfloat16, 32 for any float but float64.
    """
    if bits == 16:
        return numbers.contiguous().flatten().view(torch.int16).numpy().view(np.uint16)
    wide = numbers.to(torch.float32 if bits == 32 else torch.float64)
    return wide.contiguous().flatten().numpy().view(np.uint32 if bits == 32 else np.uint64)


def nth_smallest(passes: Callable[[], Iterable[SortKeys]], bits: int, count: int) -> Threshold:
    """Return the cut below which the `count` smallest keys lie, at least one.

    `passes` gives all keys, in pieces, each time that it is called.
    """
    found = below = 0
    for shift in range(bits - DIGIT, -1, -DIGIT):
        tally = np.zeros(2**DIGIT, np.int64)
        for some in passes():
            if shift + DIGIT < bits:
                some = some[some >> some.dtype.type(shift + DIGIT) == found]  # noqa: PLW2901
            digits = some >> some.dtype.type(shift) & some.dtype.type(2**DIGIT - 1)
            counted = np.bincount(digits.astype(np.int64))
            tally[: counted.size] += counted
        ends = np.cumsum(tally)
        digit = int(np.searchsorted(ends, count - below))
        below += int(ends[digit] - tally[digit])
        found = found << DIGIT | digit
    return Threshold(found, count - below)
