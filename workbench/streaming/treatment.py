"""What a recipe does to each tensor of a checkpoint, and why others stay as they are."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from workbench import formatting
from workbench.compression.coded import DTYPES
from workbench.compression.quantize import bits_of
from workbench.compression.quantized_layers import quantized_layers
from workbench.compression.share import clusters_of
from workbench.i18n import _, mark as N_
from workbench.recipe import Quantize, Recipe
from workbench.recipe.prune import Prune
from workbench.streaming.safetensors_header import DTYPE_NAMES, TensorLocation
from workbench.streaming.source import Source

REASONS = {
    "quantized": N_("of layers that are quantized already ({detail})"),
    "integers": N_("of integers or truth values, which cannot be rounded"),
    "small floats": N_("of the dtype {detail}, which is not rounded"),
    "one axis": N_("with fewer than two axes, such as biases and norms"),
    "empty": N_("without values"),
    "mask": N_("which are attention masks"),
    "excluded": N_("which the recipe excludes"),
    "recipe": N_("which the recipe does not change"),
}
"""Why tensors stay as they are."""

FIXED = re.compile(
    r"(?:^|[._\d])(?:i?stft|i?dft|fft|dct|mfcc|fbank|filter_?banks?|hann|hamming|sinusoid(?:al)?"
    r"|wavelet|gabor|fourier|inv_freq|freqs_cis|mel_(?:basis|filters?|fb|spec))(?:$|[._\d])",
    re.IGNORECASE,
)
"""Parts of the names of transforms and tables that are computed, not learned."""


@dataclass(frozen=True)
class Treatment:
    """What happens to a tensor.

    Attributes
    ----------
    name, dtype, shape, bytes
        The tensor in the checkpoint.
    action : str
        What is done to it, such as ``4 bits in groups of 64``; empty if it stays as it is.
    reason : str
        The key in `REASONS` if it stays as it is.
    detail : str
        More about the reason, such as the format of a quantized layer.
    fixed : bool
        Whether it can be compressed, but has the name of a fixed transform.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    bytes: int
    action: str = ""
    reason: str = ""
    detail: str = ""
    fixed: bool = False


def treatments(source: Source, recipe: Recipe) -> tuple[Treatment, ...]:
    """Return what `recipe` does to each tensor, in the order of the file."""
    layers = frozenset(source.layers)
    quantized = quantized_layers(source.meta_tensors)
    return tuple(
        _treatment(place, recipe, layers, quantized) for place in source.locations.values()
    )


def is_fixed(name: str) -> bool:
    """Whether the name is that of a fixed transform, such as ``stft_conv.weight``."""
    return FIXED.search(name) is not None


def _treatment(
    place: TensorLocation, recipe: Recipe, layers: Collection[str], quantized: Mapping[str, str]
) -> Treatment:
    dtype = place.stored_dtype or DTYPE_NAMES[place.dtype]
    action = _action(place, recipe) if place.name in layers and place.size else ""
    reason = "" if action else _reason(place, recipe, layers, quantized)
    return Treatment(
        place.name,
        dtype,
        place.stored_shape or place.shape,
        place.size,
        action,
        reason,
        {"quantized": quantized.get(place.name, ""), "small floats": dtype}.get(reason, ""),
        place.name in layers and is_fixed(place.name),
    )


def _reason(
    place: TensorLocation, recipe: Recipe, layers: Collection[str], quantized: Mapping[str, str]
) -> str:
    """Return the key in `REASONS` of a tensor that stays as it is."""
    conditions = {
        "empty": not place.size,
        "excluded": place.name in layers and _is_excluded(place.name, recipe),
        "recipe": place.name in layers,
        "quantized": place.name in quantized,
        "small floats": place.stored_dtype is not None,
        "integers": not place.dtype.is_floating_point,
        "one axis": len(place.shape) < 2,
    }
    return next((reason for reason, applies in conditions.items() if applies), "mask")


def _action(place: TensorLocation, recipe: Recipe) -> str:
    """Describe what a recipe does to a layer; an empty text if nothing."""
    parts = []
    if recipe.prune is not None and recipe.prunes(place.name):
        parts.append(_pruning(recipe.prune, place.name))
    if recipe.factorize is not None and recipe.factorize.kept_fraction(place.name) < 1:
        parts.append(_("two factors of lower rank where they are smaller"))
    if recipe.share is not None and (clusters := clusters_of(place.name, recipe.share)):
        parts.append(_("{count} shared values").format(count=clusters))
    elif recipe.quantize is not None:
        parts.append(_rounding(recipe.quantize, bits_of(place.name, recipe.quantize), place))
    return ", ".join(filter(None, parts))


def _pruning(prune: Prune, name: str) -> str:
    share = formatting.percent(prune.sparsity_of(name), 0)
    if prune.scope == "global" and prune.pattern != "n_m" and name not in prune.layers:
        return _("{share} of all their weights pruned together").format(share=share)
    return _("{share} pruned").format(share=share)


def _rounding(quantize: Quantize, bits: int, place: TensorLocation) -> str:
    if bits == 32 or (bits == 16 and DTYPES[quantize.format] == place.dtype):
        return ""
    if bits == 16:
        return quantize.format
    if quantize.granularity == "group":
        return _("{bits} bits in groups of {size}").format(bits=bits, size=quantize.group_size)
    unit = _("channel") if quantize.granularity == "channel" else _("tensor")
    return _("{bits} bits, one scale per {unit}").format(bits=bits, unit=unit)


def _is_excluded(name: str, recipe: Recipe) -> bool:
    parts = (recipe.prune, recipe.quantize, recipe.share, recipe.factorize)
    return any(part is not None and name in part.exclude for part in parts)
