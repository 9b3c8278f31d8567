"""Exact selection of the n-th smallest of more numbers than fit in memory.

The bits of non-negative floats, read as integers, have the order of their values. Each pass counts
16 bits of the numbers that share the digits determined so far: a bfloat16 takes one pass, a float32
two, a float64 four (Knuth, "The Art of Computer Programming" 3, 5.2.5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

DIGIT_BITS = 16

SortKeys = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True)
class Threshold:
    """Selects everything below `key`, and the first `ties` keys that equal it."""

    key: int
    ties: int


def sort_keys(numbers: Tensor, bits: int) -> SortKeys:
    """Return non-negative numbers as flat integers of 16, 32 or 64 `bits` in the same order.

    The conversion is exact: 16 bits fit a bfloat16, 32 bits any float except float64.
    """
    if bits == 16:
        return numbers.contiguous().flatten().view(torch.int16).numpy().view(np.uint16)
    wide = numbers.to(torch.float32 if bits == 32 else torch.float64)
    return wide.contiguous().flatten().numpy().view(np.uint32 if bits == 32 else np.uint64)


def nth_smallest(passes: Callable[[], Iterable[SortKeys]], bits: int, count: int) -> Threshold:
    """Return the threshold that selects the `count` smallest keys; `count` is at least 1.

    Each call of `passes` returns all keys, in pieces.
    """
    prefix = below = 0
    for shift in range(bits - DIGIT_BITS, -1, -DIGIT_BITS):
        histogram = np.zeros(2**DIGIT_BITS, np.int64)
        for keys in passes():
            if shift + DIGIT_BITS < bits:
                keys = keys[keys >> keys.dtype.type(shift + DIGIT_BITS) == prefix]  # noqa: PLW2901
            digits = keys >> keys.dtype.type(shift) & keys.dtype.type(2**DIGIT_BITS - 1)
            counts = np.bincount(digits.astype(np.int64))
            histogram[: counts.size] += counts
        ends = np.cumsum(histogram)
        digit = int(np.searchsorted(ends, count - below))
        below += int(ends[digit] - histogram[digit])
        prefix = prefix << DIGIT_BITS | digit
    return Threshold(prefix, count - below)
