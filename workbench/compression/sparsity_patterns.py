"""Sparsity patterns: N:M (N weights in every run of M) and blocks.

A tensor is read as a matrix with one row per output and adjacent input channels. Runs along the
rows are what processors with N:M sparsity support (Mishra et al. 2021, arXiv 2104.08378).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, ...]
Flags = NDArray[np.bool_]


def matrix(flat: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """Return the `flat` values of a tensor of `shape` as a matrix [outputs, n]."""
    return np.moveaxis(flat.reshape(shape), 1, -1).reshape(shape[0], -1)


def flattened(rows: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """Undo `matrix`."""
    unflattened = rows.reshape(shape[0], *shape[2:], shape[1])
    return np.moveaxis(unflattened, -1, 1).reshape(-1)


def keep_in_runs(scores: NDArray[Any], width: int, sparsity: float) -> Flags:
    """Return the mask over `scores` [outputs, n] without the smallest of each run of `width`.

    Each run loses `round(sparsity · width)` scores but keeps at least one. The last run of a row
    may be shorter and loses the same fraction. Among equal scores, the first are removed.
    """
    end = scores.shape[1] // width * width
    mask = np.ones(scores.shape, np.bool_)
    runs = _keep_largest(scores[:, :end].reshape(-1, width), sparsity)
    mask[:, :end] = runs.reshape(len(scores), end)
    mask[:, end:] = _keep_largest(scores[:, end:], sparsity)
    return mask


def _keep_largest(runs: NDArray[Any], sparsity: float) -> Flags:
    width = runs.shape[1]
    mask = np.ones(runs.shape, np.bool_)
    removed = min(round(sparsity * width), width - 1)
    if removed > 0:
        smallest = np.argsort(runs, axis=1, kind="stable")[:, :removed]
        np.put_along_axis(mask, smallest, False, axis=1)
    return mask


def block_means(scores: NDArray[Any], width: int) -> NDArray[np.float64]:
    """Return the mean of each block of `width` rows and columns; edge blocks may be smaller."""
    sums = block_sums(scores.astype(np.float64), width)
    return sums / block_sums(np.ones(scores.shape), width)


def block_sums(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return the sum over each block of `width` rows and columns."""
    for axis in (0, 1):
        values = np.add.reduceat(values, np.arange(0, values.shape[axis], width), axis=axis)
    return values


def spread_blocks(blocks: NDArray[Any], width: int, shape: tuple[int, int]) -> NDArray[Any]:
    """Repeat the entry of each block for all its positions; the result is a matrix of `shape`."""
    wide = np.repeat(np.repeat(blocks, width, axis=0), width, axis=1)
    return wide[: shape[0], : shape[1]]
