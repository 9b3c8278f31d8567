"""Layers that another program has quantized, recognized by the tensors that it stores for each.

Their scales, zero points and tables have two axes or more in many formats. Rounding them would
multiply the error of all weights that they scale, so they stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

COMPANION = re.compile(
    r"(?:scales?(?:_inv|_\d+)?|zeros?|zero_points?|absmax|quant_map|quant_state|scb|g_idx"
    r"|codebooks?|centroids|lut|meta|bias(?:es)?)$",
    re.IGNORECASE,
)
"""The ends of the names of tensors that describe quantized weights, and of biases."""

LONGEST = 20
"""No match is longer; names may have thousands of letters."""

INSIDE = frozenset(["weight", "quant_state", "bias"])
"""Parts of a name that belong to a layer: ``fc.weight.absmax`` describes the layer ``fc``."""

FORMATS: tuple[tuple[str, frozenset[str]], ...] = (
    ("bitsandbytes", frozenset(["absmax", "quant_map", "SCB", "nested_absmax"])),
    ("GPTQ or AWQ", frozenset(["qweight", "qzeros"])),
    ("compressed-tensors", frozenset(["weight_packed", "weight_shape"])),
    ("HQQ", frozenset(["W_q"])),
    ("AQLM", frozenset(["codebooks", "codes"])),
    ("8-bit floats", frozenset(["weight_scale_inv"])),
)
"""Formats by the names of tensors that only they have."""

OTHER_FORMAT = "integers with scales"
COUNTERS = (torch.int64, torch.uint64, torch.bool)
"""Dtypes of counters, positions and masks, which hold no quantized weights."""


def quantized_layers(tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """Return the format of each tensor that belongs to a quantized layer, by its name.

    A layer is quantized if it has a tensor of integers or 8-bit floats with an axis, and a tensor
    named like a scale. Only dtypes, shapes and names are read. Other floating-point weights of the
    same layer, such as those of adapters, are not listed.
    """
    members: dict[str, list[str]] = {}
    for name in tensors:
        members.setdefault(layer_of(name), []).append(name)
    result: dict[str, str] = {}
    for layer, names in members.items():
        packed = [name for name in names if _is_packed(tensors[name])]
        companions = [name for name in names if COMPANION.search(name[-LONGEST:])]
        if not layer:  # tensors that are in no module belong together only by their names
            companions = [n for n in companions if any(map(n.startswith, _stems(packed)))]
            packed = [n for n in packed if any(c.startswith(_stems([n])[0]) for c in companions)]
        if packed and any(not name.endswith(("bias", "biases")) for name in companions):
            result |= dict.fromkeys((*packed, *companions), _format(layer, names))
    return result


def _stems(names: Iterable[str]) -> list[str]:
    """Return ``w`` for ``w_q`` and for ``w``: the scale of both may be ``w_scale``."""
    return [name.split("_")[0] for name in names]


def layer_of(name: str) -> str:
    """Return the part of a tensor's name that all tensors of its layer share."""
    parts = name.split(".")[:-1]
    while parts and parts[-1] in INSIDE:
        parts.pop()
    return ".".join(parts)


def _is_packed(tensor: Tensor) -> bool:
    integral = not tensor.is_floating_point() and not tensor.is_complex()
    small = tensor.is_floating_point() and tensor.itemsize == 1
    return (integral or small) and tensor.dtype not in COUNTERS and tensor.numel() > 1


def _format(layer: str, names: Iterable[str]) -> str:
    ends = {end for name in names for end in name.removeprefix(f"{layer}.").split(".")}
    return next((title for title, marks in FORMATS if not marks.isdisjoint(ends)), OTHER_FORMAT)
