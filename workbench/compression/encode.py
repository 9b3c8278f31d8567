"""Compression as one pure function: named weights and a recipe in, coded tensors out."""

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
from workbench.compression.prune import apply_mask, magnitude_mask_like
from workbench.compression.prune import masks as prune_masks
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
    masks: Mapping[str, Tensor] | None = None,
    qparams: Mapping[str, list[QParams]] | None = None,
) -> dict[str, Coded]:
    """Prune, factorize, share and quantize `weights` as `recipe` says. Inputs are not changed.

    Parameters
    ----------
    weights
        All tensors of a model by name.
    recipe
        What to do to them.
    stats
        Calibration statistics, needed by data-driven methods only.
    roles
        Which tensors to compress; the others are stored as they are. Without it, all
        floating-point tensors with two or more dimensions are compressed, except attention masks.
    masks, qparams
        Pruning masks (True: keep) and quantization parameters that training has already chosen, in
        the canonical layout. Without them, they are computed from the weights.

    Returns
    -------
    dict of str to Coded
        Every tensor of `weights`, in order.

    Raises
    ------
    RecipeError
        If the recipe names an unknown tensor, or a weight does not fit its format.
    InputError
        If a tensor cannot be stored, or holds NaN or infinity and is not a buffer.
    """
    for name, weight in weights.items():
        check_storable(name, weight, buffer=roles is not None and name in roles.buffers)
    roles = roles or Roles.of(weights)
    layers = [name for name in roles.layers if name in weights]
    recipe.check_names(layers)
    axes = roles.permuted_axes(weights)
    stats = stats_to_canonical(stats or CalibrationStats(), axes)
    canonical = to_canonical(weights, axes)
    prune = recipe.prune
    compensates = masks is None and prune is not None and prune.criterion in NEEDS_COVARIANCE
    if masks is None:
        masks = prune_masks(canonical, prune, stats, layers) if prune else {}
    coded: dict[str, Coded] = {}
    for name, weight in canonical.items():
        if name not in layers:
            coded[name] = Uncompressed.of(weight, exact=name in roles.buffers)
            continue
        pruned = apply_mask(weight, masks[name]) if name in masks else weight
        covariance = stats.covariances.get(name)
        if compensates and prune and covariance is not None and name in masks:
            by_size = magnitude_mask_like(name, weight, masks[name], prune)
            pruned = _compensated(weight, covariance, masks[name], by_size)
        source = (weights[name], axes.get(name)) if pruned is weight else (pruned, None)
        result = _encode(name, pruned, source, recipe, covariance, (qparams or {}).get(name))
        if name in axes:
            result = replace(result, shape=tuple(weights[name].shape), axes=axes[name])
        coded[name] = result
    return coded


@torch.no_grad()
def encode_tensor(name: str, weight: Tensor, recipe: Recipe, mask: Tensor | None) -> Coded:
    """Encode one tensor as `encode_tensors` does without statistics, pruned by `mask`.

    Raises
    ------
    RecipeError
        If a weight does not fit its format.
    InputError
        If the tensor cannot be stored, or holds NaN or infinity.
    """
    check_storable(name, weight)
    if not compressible({name: weight}):
        return Uncompressed.of(weight)
    pruned = weight if mask is None else apply_mask(weight, mask)
    return _encode(name, pruned, (pruned, None), recipe, None, None)


def _compensated(weight: Tensor, covariance: InputCovariance, *masks: Tensor) -> Tensor:
    """Prune `weight` with the mask that changes outputs least after compensation."""
    rows = weight.flatten(1).float()
    candidates = [compensate(rows, covariance, mask.flatten(1)) for mask in masks]
    errors = [float(covariance.output_error(c - rows).sum()) for c in candidates]
    return candidates[errors.index(min(errors))].view(weight.shape)


def _encode(
    name: str,
    pruned: Tensor,
    source: tuple[Tensor, Axes | None],
    recipe: Recipe,
    covariance: InputCovariance | None,
    qparams: list[QParams] | None,
) -> Coded:
    """Encode `pruned`, as two factors if they take fewer bytes.

    `source` is a tensor, and its axes if any, whose canonical layout is `pruned`. It is the
    original weight if possible: that object is the same for every recipe, so that its cached
    singular value decomposition can be reused.
    """
    single = _encode_single(name, pruned, recipe, covariance, qparams)
    fraction = recipe.factorize.kept_fraction(name) if recipe.factorize else 1.0
    if recipe.factorize is None or fraction == 1:
        return single
    weight, axes = source
    pair = factorize(weight, recipe.factorize, fraction, covariance, axes)
    if pair is None:
        return single
    u, v = (_encode_single(name, factor, recipe, None, None) for factor in pair)
    factors = Factors(tuple(pruned.shape), u, v)
    return factors if _bytes(factors) < _bytes(single) else single


def _bytes(coded: Coded) -> int:
    return parts(entry(coded, find_encodings(coded, include_larger=False))).total


def _encode_single(
    name: str,
    pruned: Tensor,
    recipe: Recipe,
    covariance: InputCovariance | None,
    qparams: list[QParams] | None,
) -> Single:
    if recipe.share and (clusters := clusters_of(name, recipe.share)):
        shared = share(pruned, recipe.share, clusters)
        if not np.isfinite(shared.codebook).all():
            raise RecipeError(
                f"{name} holds values that are too large to share: exclude it from sharing.",
                code="recipe.weight_too_large",
            )
        return shared
    if recipe.quantize is None:
        return Uncompressed.of(pruned)
    bits = bits_of(name, recipe.quantize)
    compensates = recipe.quantize.rounding in COMPENSATED and bits < 16
    if compensates and covariance is not None:
        qparams = qparams or fit_qparams(pruned, recipe.quantize, bits)
        expanded = expand_qparams(pruned, recipe.quantize, qparams)
        rows = compensate(pruned.flatten(1).float(), covariance, pruned.flatten(1) != 0, expanded)
        pruned = rows.view(pruned.shape)
    return quantize(name, pruned, recipe.quantize, qparams)
