"""Patterns of zeros: N in every run of M weights, or whole blocks.

A tensor is read as a matrix, a row for each output, in which input channels lie side by side: a
run is then what processors with N:M sparsity skip over (Mishra et al. 2021, arXiv 2104.08378).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, ...]
Flags = NDArray[np.bool_]


def matrix(flat: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """Return `flat` values of a tensor of `shape`, two axes or more, as a matrix [outputs, n]."""
    return np.moveaxis(flat.reshape(shape), 1, -1).reshape(shape[0], -1)


def flattened(rows: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """Undo `matrix`."""
    apart = rows.reshape(shape[0], *shape[2:], shape[1])
    return np.moveaxis(apart, -1, 1).reshape(-1)


def keep_in_runs(scores: NDArray[Any], width: int, sparsity: float) -> Flags:
    """Return which of `scores` [outputs, n] stay when each run of `width` loses its smallest.

    `round(sparsity · width)` go, but one stays in every run; the last run of a row may be shorter
    and loses its share. Among equal scores the first go.
    """
    whole = scores.shape[1] // width * width
    kept = np.ones(scores.shape, np.bool_)
    kept[:, :whole] = _keep_most(scores[:, :whole].reshape(-1, width), sparsity).reshape(
        len(scores), whole
    )
    kept[:, whole:] = _keep_most(scores[:, whole:], sparsity)
    return kept


def _keep_most(runs: NDArray[Any], sparsity: float) -> Flags:
    width = runs.shape[1]
    kept = np.ones(runs.shape, np.bool_)
    dropped = min(round(sparsity * width), width - 1)
    if dropped > 0:
        last = np.argsort(runs, axis=1, kind="stable")[:, :dropped]
        np.put_along_axis(kept, last, False, axis=1)
    return kept


def block_means(scores: NDArray[Any], width: int) -> NDArray[np.float64]:
    """Return the mean score of each block of `width` rows and columns, smaller at the edges."""
    sums = block_sums(scores.astype(np.float64), width)
    return sums / block_sums(np.ones(scores.shape), width)


def block_sums(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return the sum over each block of `width` rows and columns."""
    for axis in (0, 1):
        values = np.add.reduceat(values, np.arange(0, values.shape[axis], width), axis=axis)
    return values


def spread_blocks(blocks: NDArray[Any], width: int, shape: tuple[int, int]) -> NDArray[Any]:
    """Repeat an entry for each block over the block; the result is a matrix of `shape`."""
    wide = np.repeat(np.repeat(blocks, width, axis=0), width, axis=1)
    return wide[: shape[0], : shape[1]]
