"""From a matrix to two thinner ones whose product comes near to it."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

import torch
from torch import Tensor

from workbench.compression.axes import Axes
from workbench.compression.covariance import InputCovariance
from workbench.recipe import Factorize
from workbench.recipe.factorize import OUTPUT_AIMS
from workbench.threads import threads

Triple = tuple[Tensor, Tensor, Tensor]


class Pair(NamedTuple):
    """U [m, r] and V [r, n], float32, whose product takes a matrix's place."""

    left: Tensor
    right: Tensor


def break_even_rank(shape: tuple[int, ...]) -> float:
    """Return the rank at which two factors take as many numbers as the matrix: mn / (m + n)."""
    rows, columns = shape[0], prod(shape[1:])
    return rows * columns / (rows + columns) if rows + columns else 0.0


def factorize(
    weight: Tensor,
    settings: Factorize,
    kept: float,
    moment: InputCovariance | None = None,
    axes: Axes | None = None,
) -> Pair | None:
    """Return the factors of `weight`, or None where they would take no fewer numbers.

    Of one that has `axes` they are the factors of it turned.

    By singular values, of which the largest r are kept: of the weights, or, where the outputs are
    the aim and `moment` is known, of the weights times the Cholesky factor of the inputs' moments,
    so that what is lost of the outputs is least (SVD-LLM, arXiv 2403.07378).
    """
    if kept == 1 or not weight.numel():
        return None
    whitens = moment if settings.aim in OUTPUT_AIMS else None
    shape = tuple(weight.shape) if axes is None else axes.shape(weight.shape)
    left, values, right = _decomposed(weight, whitens, axes)
    rank = _rank(shape, values, settings, kept)
    if rank >= break_even_rank(shape):
        return None
    root = values[:rank].sqrt()
    left, right = left[:, :rank] * root, root.unsqueeze(1) * right[:rank]
    if whitens is not None:
        with threads(1):
            right = torch.linalg.solve_triangular(whitens.factor, right, upper=False, left=False)
    return Pair(left.float().contiguous(), right.float().contiguous())


@dataclass(frozen=True, eq=False)
class _Seen:
    """What a tensor was decomposed to: `weight` and its `version` tell whether it is still that."""

    weight: weakref.ref[Tensor]
    version: int
    whitens: InputCovariance | None
    axes: Axes | None
    found: Triple

    def of(
        self, weight: Tensor, version: int, whitens: InputCovariance | None, axes: Axes | None
    ) -> bool:
        """Whether this is what `weight` would be decomposed to now."""
        same = self.weight() is weight and self.version == version
        return same and self.whitens is whitens and self.axes == axes


_seen: dict[int, _Seen] = {}


def _decomposed(weight: Tensor, whitens: InputCovariance | None, axes: Axes | None) -> Triple:
    """Return the singular values with their vectors; those of a slider's tensor are kept."""
    key, version = id(weight), weight._version  # noqa: SLF001 - what else tells of a change
    seen = _seen.get(key)
    if seen is not None and seen.of(weight, version, whitens, axes):
        return seen.found
    turned = weight.detach() if axes is None else axes.turned(weight.detach())
    matrix = turned.flatten(1).double()
    with threads(1):  # on more, the last bits may differ, and the file with them
        aimed = matrix if whitens is None else matrix @ whitens.factor
        left, values, right = torch.linalg.svd(aimed, full_matrices=False)
    gone = weakref.ref(weight, lambda _ref: _seen.pop(key, None))
    _seen[key] = _Seen(gone, version, whitens, axes, (left, values, right))
    return left, values, right


def _rank(shape: tuple[int, ...], values: Tensor, settings: Factorize, kept: float) -> int:
    """Return how many singular values are kept, at least one."""
    if settings.measure == "number":
        return min(settings.rank, len(values))
    if settings.measure == "energy":
        energy = values.square().cumsum(0)
        return int((energy < kept * energy[-1]).sum()) + 1
    most = len(values) if settings.measure == "rank" else break_even_rank(shape)
    return max(1, int(kept * most + 1e-9))
