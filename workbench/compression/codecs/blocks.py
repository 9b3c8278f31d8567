"""Positions for square blocks: one bit per block says whether it is stored."""

from __future__ import annotations

import numpy as np

from workbench.compression.sparsity_patterns import (
    Flags,
    Shape,
    block_sums,
    flattened,
    matrix,
    spread_blocks,
)


def count_of(shape: Shape, width: int) -> int:
    """Return the number of blocks in a tensor of `shape`."""
    length = int(np.prod(shape[1:], dtype=object))
    return -(-shape[0] // width) * -(-length // width)


def stored_blocks(nonzero: Flags, shape: Shape, width: int) -> Flags:
    """Return a flat mask of the blocks that hold a nonzero value."""
    sums = block_sums(matrix(nonzero, shape).astype(np.float64), width)
    return (sums > 0).reshape(-1)


def stored(blocks: Flags, shape: Shape, width: int) -> Flags:
    """Return a mask of the flat positions inside stored blocks."""
    rows, columns = shape[0], int(np.prod(shape[1:], dtype=np.int64))
    matrix_mask = spread_blocks(blocks.reshape(-(-rows // width), -1), width, (rows, columns))
    return flattened(matrix_mask, shape)
