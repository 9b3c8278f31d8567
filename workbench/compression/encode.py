"""The whole of compression: named weights and a recipe in, coded tensors out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from workbench.compression.axes import Axes, stats_to_canonical, to_canonical
from workbench.compression.checks import check_storable
from workbench.compression.codecs.stream import entry, find_encodings, parts
from workbench.compression.coded import Coded, Factors, Single, Uncompressed
from workbench.compression.compensate import compensate
from workbench.compression.covariance import InputCovariance
from workbench.compression.factorize import factorize
from workbench.compression.prune import apply_mask, magnitude_mask_like, masks
from workbench.compression.qparams import QParams
from workbench.compression.quantize import bits_of, expand_qparams, fit_qparams, quantize
from workbench.compression.roles import Roles, compressible
from workbench.compression.share import clusters_of, share
from workbench.compression.stats import CalibrationStats
from workbench.errors import RecipeError
from workbench.recipe import Recipe
from workbench.recipe.prune import NEEDS_COVARIANCE
from workbench.recipe.quantize import COMPENSATED


@torch.no_grad()
def encode_tensors(
    weights: Mapping[str, Tensor],
    recipe: Recipe,
    stats: CalibrationStats | None = None,
    *,
    roles: Roles | None = None,
    kept: Mapping[str, Tensor] | None = None,
    qparams: Mapping[str, list[QParams]] | None = None,
) -> dict[str, Coded]:
    """Return every tensor of `weights` as `recipe` says: pruned, factored, shared and quantised.

    Nothing of the caller's is changed. `roles` say which tensors are compressed; without them it is
    those with two or more dimensions that are no masks of zeros and infinities. The others stay as
    they are. Those that have axes of their own are compressed turned.
    `kept` are masks (True: keep) and `grids` quantisers, both by name, that training has already
    settled, for tensors that are turned already; without them they are found from the weights.

    Raises
    ------
    RecipeError
        When the recipe names a tensor that is not there, a tensor is of a kind that files do not
        know, or one that is no buffer holds NaN or infinity.
    """
    for name, weight in weights.items():
        check_storable(name, weight, buffer=roles is not None and name in roles.buffers)
    roles = roles or Roles.of(weights)
    names = [name for name in roles.layers if name in weights]
    recipe.check_names(names)
    axes = roles.permuted_axes(weights)
    laid, stats = to_canonical(weights, axes), stats_to_canonical(stats or CalibrationStats(), axes)
    prune = recipe.prune
    adjusts = kept is None and prune is not None and prune.criterion in NEEDS_COVARIANCE
    if kept is None:
        kept = masks(laid, prune, stats, names) if prune else {}
    coded: dict[str, Coded] = {}
    for name, weight in laid.items():
        if name not in names:
            coded[name] = Uncompressed.of(weight, exact=name in roles.buffers)
            continue
        pruned = apply_mask(weight, kept[name]) if name in kept else weight
        moment = stats.moments.get(name)
        if adjusts and prune and moment is not None and name in kept:
            other = magnitude_mask_like(name, weight, kept[name], prune)
            pruned = _adjusted(weight, moment, kept[name], other)
        source = (weights[name], axes.get(name)) if pruned is weight else (pruned, None)
        found = _coded(name, pruned, source, recipe, moment, (qparams or {}).get(name))
        if name in axes:
            found = replace(found, shape=tuple(weights[name].shape), axes=axes[name])
        coded[name] = found
    return coded


@torch.no_grad()
def encode_tensor(name: str, weight: Tensor, recipe: Recipe, kept: Tensor | None) -> Coded:
    """Return one tensor as `encode_tensors` does without evidence, pruned by the mask `kept` (True: keep).

    Raises
    ------
    RecipeError
        When it holds NaN or infinity.
    """
    check_storable(name, weight)
    if not compressible({name: weight}):
        return Uncompressed.of(weight)
    pruned = weight if kept is None else apply_mask(weight, kept)
    return _coded(name, pruned, (pruned, None), recipe, None, None)


def _adjusted(weight: Tensor, moment: InputCovariance, *masks: Tensor) -> Tensor:
    """Return `weight` under the mask with which outputs change less, what it leaves adjusted."""
    rows = weight.flatten(1).float()
    tried = [compensate(rows, moment, mask.flatten(1)) for mask in masks]
    errors = [float(moment.output_error(one - rows).sum()) for one in tried]
    return tried[errors.index(min(errors))].view(weight.shape)


def _coded(
    name: str,
    pruned: Tensor,
    source: tuple[Tensor, Axes | None],
    recipe: Recipe,
    moment: InputCovariance | None,
    qparams: list[QParams] | None,
) -> Coded:
    """Return `pruned` coded.

    `source` is a tensor that is it when turned, if it has axes: one that is the same at every
    change of the recipe, where there is one, so that it is decomposed once.
    """
    whole = _single(name, pruned, recipe, moment, qparams)
    kept = recipe.factorize.kept_fraction(name) if recipe.factorize else 1.0
    if recipe.factorize is None or kept == 1:
        return whole
    weight, axes = source
    pair = factorize(weight, recipe.factorize, kept, moment, axes)
    if pair is None:
        return whole
    left, right = (_single(name, factor, recipe, None, None) for factor in pair)
    factors = Factors(tuple(pruned.shape), left, right)
    return factors if _bytes(factors) < _bytes(whole) else whole


def _bytes(coded: Coded) -> int:
    return parts(entry(coded, find_encodings(coded, include_larger=False))).total


def _single(
    name: str,
    pruned: Tensor,
    recipe: Recipe,
    moment: InputCovariance | None,
    qparams: list[QParams] | None,
) -> Single:
    if recipe.share and (clusters := clusters_of(name, recipe.share)):
        shared = share(pruned, recipe.share, clusters)
        if not np.isfinite(shared.codebook).all():
            raise RecipeError(f"{name} holds values too large to be shared: leave it unshared.")
        return shared
    if recipe.quantize is None:
        return Uncompressed.of(pruned)
    bits = bits_of(name, recipe.quantize)
    compensates = recipe.quantize.rounding in COMPENSATED and bits < 16
    if compensates and moment is not None:
        qparams = qparams or fit_qparams(pruned, recipe.quantize, bits)
        steps = expand_qparams(pruned, recipe.quantize, qparams)
        rows = compensate(pruned.flatten(1).float(), moment, pruned.flatten(1) != 0, steps)
        pruned = rows.view(pruned.shape)
    return quantize(name, pruned, recipe.quantize, qparams)
