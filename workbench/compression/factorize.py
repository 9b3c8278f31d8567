"""Low-rank factorization: replace a matrix by the product of two thinner ones."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

import torch
from torch import Tensor

from workbench.cache.memory import MemoryCache
from workbench.compression.axes import Axes
from workbench.compression.covariance import InputCovariance
from workbench.recipe import Factorize
from workbench.recipe.factorize import OUTPUT_AIMS
from workbench.threads import threads

Triple = tuple[Tensor, Tensor, Tensor]


class Pair(NamedTuple):
    """Two factors, U [m, r] and V [r, n], float32."""

    u: Tensor
    v: Tensor


def break_even_rank(shape: tuple[int, ...]) -> float:
    """Return the rank at which two factors have as many entries as the matrix: mn / (m + n)."""
    rows, columns = shape[0], prod(shape[1:])
    return rows * columns / (rows + columns) if rows + columns else 0.0


def factorize_tensor(
    weight: Tensor,
    settings: Factorize,
    fraction: float,
    covariance: InputCovariance | None = None,
    axes: Axes | None = None,
) -> Pair | None:
    """Factorize `weight` by a truncated singular value decomposition.

    The decomposition is that of the weights. If `settings` aim at the outputs and `covariance` is
    given, it is that of the weights times the covariance's Cholesky factor, which minimizes the
    error of the outputs (SVD-LLM, arXiv 2403.07378).

    Parameters
    ----------
    weight
        Tensor of two or more dimensions.
    settings
        How to choose the rank.
    fraction
        The fraction to keep, in the measure of `settings`; 1 does not factorize.
    covariance
        Of the layer's inputs.
    axes
        If given, the canonical layout of `weight` is factorized.

    Returns
    -------
    Pair or None
        None if the factors would not have fewer entries.
    """
    if fraction == 1 or not weight.numel():
        return None
    whitening = covariance if settings.aim in OUTPUT_AIMS else None
    shape = tuple(weight.shape) if axes is None else axes.shape(weight.shape)
    u, values, v = _svd(weight, whitening, axes)
    rank = _rank(shape, values, settings, fraction)
    if rank >= break_even_rank(shape):
        return None
    root = values[:rank].sqrt()
    u, v = u[:, :rank] * root, root.unsqueeze(1) * v[:rank]
    if whitening is not None:
        with threads(1):
            v = torch.linalg.solve_triangular(whitening.factor, v, upper=False, left=False)
    return Pair(u.float().contiguous(), v.float().contiguous())


@dataclass(frozen=True, eq=False)
class _CachedSvd:
    """A decomposition with its inputs; `version` tells whether `weight` has changed in place."""

    weight: weakref.ref[Tensor]
    version: int
    whitening: InputCovariance | None
    axes: Axes | None
    result: Triple

    def matches(
        self, weight: Tensor, version: int, whitening: InputCovariance | None, axes: Axes | None
    ) -> bool:
        """Whether the decomposition is that of these inputs."""
        same = self.weight() is weight and self.version == version
        return same and self.whitening is whitening and self.axes == axes


_cache: MemoryCache[_CachedSvd] = MemoryCache(
    64, 64 * 2**20, lambda cached: sum(tensor.nbytes for tensor in cached.result)
)


def _svd(weight: Tensor, whitening: InputCovariance | None, axes: Axes | None) -> Triple:
    """Return U, the singular values and Vᵀ, from the cache if `weight` has not changed."""
    key, version = id(weight), weight._version  # noqa: SLF001 - there is no public one
    cached = _cache.get(key)
    if cached is not None and cached.matches(weight, version, whitening, axes):
        return cached.result
    canonical = weight.detach() if axes is None else axes.to_canonical(weight.detach())
    matrix = canonical.flatten(1).double()
    with threads(1):  # on several threads, the last bits can differ, and so the file
        whitened = matrix if whitening is None else matrix @ whitening.factor
        result: Triple = torch.linalg.svd(whitened, full_matrices=False)
    cached = _CachedSvd(weakref.ref(weight), version, whitening, axes, result)
    return _cache.put(key, cached).result


def _rank(shape: tuple[int, ...], values: Tensor, settings: Factorize, fraction: float) -> int:
    """Return the number of singular values to keep, at least one."""
    if settings.measure == "number":
        return min(settings.rank, len(values))
    if settings.measure == "energy":
        energy = values.square().cumsum(0)
        return int((energy < fraction * energy[-1]).sum()) + 1
    largest = len(values) if settings.measure == "rank" else break_even_rank(shape)
    return max(1, int(fraction * largest + 1e-9))
