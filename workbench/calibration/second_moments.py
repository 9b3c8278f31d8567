"""Second moments of vectors, Σ x xᵀ, whatever the scale of the vectors is."""

from __future__ import annotations

import math

from torch import Tensor

SAFE = 1e-12, 1e12
"""Vectors whose largest entry is between these have squares and sums in float32's range."""


def finite_vectors(vectors: Tensor) -> Tensor:
    """Return the vectors, float32 [n, m], all of whose entries are finite."""
    if bool(vectors.sum().isfinite()):
        return vectors
    return vectors[vectors.isfinite().all(dim=1)]


def second_moments(vectors: Tensor) -> Tensor:
    """Return Σ x xᵀ of finite vectors x, float32 [n, m], as float64 [m, m]."""
    largest = float(vectors.abs().max()) if vectors.numel() else 0.0
    if not largest or SAFE[0] < largest < SAFE[1]:
        return (vectors.T @ vectors).double()
    scale = 2.0 ** math.frexp(largest)[1]  # a power of two changes no digit
    scaled = (vectors.double() / scale).float()
    return (scaled.T @ scaled).double() * scale**2


def in_float32(matrix: Tensor) -> Tensor:
    """Return second moments, float64 [m, m], as float32.

    Those whose mean square is not between the squares of `SAFE` are divided by a power of four, so
    that it is about 1, as if the vectors were divided by a power of two.
    """
    mean = float(matrix.diagonal().mean()) if len(matrix) else 0.0
    if mean and not SAFE[0] ** 2 < mean < SAFE[1] ** 2:
        matrix = matrix * 4.0 ** -round(math.log2(mean) / 2)
    return matrix.float()
