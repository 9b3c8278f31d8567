"""Compression as pure functions on named tensors: prune, factorize, share or quantize."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from workbench.compression.axes import Axes, stats_to_canonical, to_canonical
from workbench.compression.checks import check_storable
from workbench.compression.codecs.stream import entry, find_encodings, parts
from workbench.compression.coded import Coded, Factors, Single, Uncompressed
from workbench.compression.compensate import compensate
from workbench.compression.covariance import InputCovariance
from workbench.compression.factorize import Pair, factorize_tensor
from workbench.compression.prune import apply_mask, magnitude_mask_like, masks as prune_masks
from workbench.compression.qparams import QParams
from workbench.compression.quantize import bits_of, expand_qparams, fit_qparams, quantize
from workbench.compression.roles import Roles
from workbench.compression.share import clusters_of, share
from workbench.compression.stats import CalibrationStats
from workbench.errors import RecipeError
from workbench.recipe import Recipe
from workbench.recipe.prune import NEEDS_COVARIANCE
from workbench.recipe.quantize import COMPENSATED


@dataclass(frozen=True, eq=False)
class NamedTensors:
    """All tensors of a model between two steps of compression.

    Attributes
    ----------
    original : mapping of str to Tensor
        The tensors in the model's layout.
    current : mapping of str to Tensor
        The tensors in the canonical layout, as the steps so far have changed them.
    layers : tuple of str
        The tensors to compress. All others are stored as they are.
    axes : mapping of str to Axes
        The axes of the layers whose canonical layout differs from the model's.
    stats : CalibrationStats
        In the canonical layout.
    pruned : frozenset of str
        The layers that a step has changed.
    """

    original: Mapping[str, Tensor]
    current: Mapping[str, Tensor]
    layers: tuple[str, ...]
    axes: Mapping[str, Axes]
    stats: CalibrationStats
    pruned: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        weights: Mapping[str, Tensor],
        stats: CalibrationStats | None = None,
        roles: Roles | None = None,
    ) -> NamedTensors:
        """Convert `weights` to the canonical layout. Inputs are not changed.

        Without `roles`, all floating-point tensors with two or more dimensions are compressed,
        except attention masks.

        Raises
        ------
        InputError
            If a tensor cannot be stored, or holds NaN or infinity and is not a buffer.
        """
        for name, weight in weights.items():
            check_storable(name, weight, buffer=roles is not None and name in roles.buffers)
        roles = roles or Roles.of(weights)
        axes = roles.permuted_axes(weights)
        return cls(
            original=weights,
            current=to_canonical(weights, axes),
            layers=tuple(name for name in roles.layers if name in weights),
            axes=axes,
            stats=stats_to_canonical(stats or CalibrationStats(), axes),
        )


def encode_tensors(
    weights: Mapping[str, Tensor],
    recipe: Recipe,
    stats: CalibrationStats | None = None,
    *,
    roles: Roles | None = None,
    masks: Mapping[str, Tensor] | None = None,
    qparams: Mapping[str, list[QParams]] | None = None,
) -> dict[str, Coded]:
    """Run all steps of this module on `weights`.

    Parameters
    ----------
    weights, stats, roles
        As in `NamedTensors.of`.
    recipe
        What to do to them.
    masks
        As in `prune`.
    qparams
        As in `share_or_quantize`.

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
    tensors = NamedTensors.of(weights, stats, roles)
    recipe.check_names(tensors.layers, weights)
    pruned = prune(tensors, recipe, masks)
    return share_or_quantize(pruned, factorize(pruned, recipe), recipe, qparams or {})


def encode_tensor(
    name: str, weight: Tensor, recipe: Recipe, mask: Tensor | None, *, is_layer: bool
) -> Coded:
    """Encode one tensor as `encode_tensors` does without statistics, pruned by `mask`.

    A tensor that is no layer is stored bit for bit, whatever its values.

    Raises
    ------
    RecipeError
        If a weight does not fit its format.
    InputError
        If the tensor cannot be stored, or holds NaN or infinity.
    """
    masks = {} if mask is None else {name: mask}
    roles = Roles((name,)) if is_layer else Roles((), frozenset([name]))
    pruned = prune(NamedTensors.of({name: weight}, roles=roles), recipe, masks)
    return share_or_quantize(pruned, factorize(pruned, recipe), recipe, {})[name]


@torch.no_grad()
def prune(
    tensors: NamedTensors, recipe: Recipe, masks: Mapping[str, Tensor] | None = None
) -> NamedTensors:
    """Prune the layers by `masks` (True: keep), in the canonical layout.

    Without masks, they are computed from the weights, and criteria that need covariances also
    compensate for the error of the outputs.
    """
    settings = recipe.prune
    compensates = masks is None and settings is not None and settings.criterion in NEEDS_COVARIANCE
    if settings is None:
        masks = masks or {}
    elif masks is None:
        masks = prune_masks(tensors.current, settings, tensors.stats, tensors.layers)
    current = dict(tensors.current)
    changed = [name for name in tensors.layers if name in masks]
    for name in changed:
        weight, mask = current[name], masks[name]
        covariance = tensors.stats.covariances.get(name)
        if compensates and settings and covariance is not None:
            by_size = magnitude_mask_like(name, weight, mask, settings)
            current[name] = _compensated(weight, covariance, mask, by_size)
        else:
            current[name] = apply_mask(weight, mask)
    return replace(tensors, current=current, pruned=frozenset(changed))


@torch.no_grad()
def factorize(tensors: NamedTensors, recipe: Recipe) -> dict[str, Pair]:
    """Return two factors of each layer that `recipe` factorizes, if they have fewer entries.

    A layer that was not pruned is read in the model's layout: that object is the same for every
    recipe, so that its cached singular value decomposition can be reused.
    """
    pairs = {}
    for name in tensors.layers if recipe.factorize else ():
        assert recipe.factorize is not None
        is_pruned = name in tensors.pruned
        pair = factorize_tensor(
            (tensors.current if is_pruned else tensors.original)[name],
            recipe.factorize,
            recipe.factorize.kept_fraction(name),
            tensors.stats.covariances.get(name),
            None if is_pruned else tensors.axes.get(name),
        )
        if pair is not None:
            pairs[name] = pair
    return pairs


@torch.no_grad()
def share_or_quantize(
    tensors: NamedTensors,
    factors: Mapping[str, Pair],
    recipe: Recipe,
    qparams: Mapping[str, list[QParams]],
) -> dict[str, Coded]:
    """Return every tensor in coded form; of a layer with `factors`, the form with fewer bytes.

    `qparams` are the quantization parameters that training has already chosen.

    Raises
    ------
    RecipeError
        If a weight does not fit its format.
    """
    coded: dict[str, Coded] = {}
    for name, weight in tensors.current.items():
        if name not in tensors.layers:
            coded[name] = Uncompressed.of(weight, exact=True)
            continue
        covariance = tensors.stats.covariances.get(name)
        result: Coded = _coded(name, weight, recipe, covariance, qparams.get(name))
        if name in factors:
            u, v = (_coded(name, factor, recipe) for factor in factors[name])
            result = min(result, Factors(tuple(weight.shape), u, v), key=_bytes)  # first if equal
        if name in tensors.axes:
            shape = tuple(tensors.original[name].shape)
            result = replace(result, shape=shape, axes=tensors.axes[name])
        coded[name] = result
    return coded


def _compensated(weight: Tensor, covariance: InputCovariance, *masks: Tensor) -> Tensor:
    """Prune `weight` with the mask that changes outputs least after compensation."""
    rows = weight.flatten(1).float()
    candidates = [compensate(rows, covariance, mask.flatten(1)) for mask in masks]
    errors = [float(covariance.output_error(c - rows).sum()) for c in candidates]
    return candidates[errors.index(min(errors))].view(weight.shape)


def _bytes(coded: Coded) -> int:
    return parts(entry(coded, find_encodings(coded, include_larger=False))).total


def _coded(
    name: str,
    weight: Tensor,
    recipe: Recipe,
    covariance: InputCovariance | None = None,
    qparams: list[QParams] | None = None,
) -> Single:
    """Share or quantize one tensor, or leave it as it is."""
    if recipe.share and (clusters := clusters_of(name, recipe.share)):
        shared = share(weight, recipe.share, clusters)
        if not np.isfinite(shared.codebook).all():
            raise RecipeError(
                f"{name} holds values that are too large to share: exclude it from sharing.",
                code="recipe.weight_too_large",
            )
        return shared
    if recipe.quantize is None:
        return Uncompressed.of(weight)
    bits = bits_of(name, recipe.quantize)
    compensates = recipe.quantize.rounding in COMPENSATED and bits < 16
    if compensates and covariance is not None:
        qparams = qparams or fit_qparams(weight, recipe.quantize, bits)
        expanded = expand_qparams(weight, recipe.quantize, qparams)
        rows = compensate(weight.flatten(1).float(), covariance, weight.flatten(1) != 0, expanded)
        weight = rows.view(weight.shape)
    return quantize(name, weight, recipe.quantize, qparams)
