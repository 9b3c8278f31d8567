"""From float tensors to codes."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from workbench.compression.coded import Coded, Codes, Plain
from workbench.compression.grid import Grid
from workbench.compression.ranges import RANGES
from workbench.errors import RecipeError
from workbench.recipe import Quantize

LARGEST = torch.finfo(torch.float32).max
FLOATS = {"bf16": torch.bfloat16, "fp16": torch.float16}


def quantize(name: str, weight: Tensor, settings: Quantize) -> Coded:
    """Return `weight` in the number of bits that `settings` give the tensor called `name`.

    Raises
    ------
    RecipeError
        When the largest value does not fit.
    """
    bits = int(settings.layers.get(name, settings.bits))
    if bits == 32 or name in settings.exclude:
        return Plain.of(weight)
    if bits == 16:
        narrow = weight.to(FLOATS[settings.format])
        if not torch.isfinite(narrow).all():
            other = "bf16" if settings.format == "fp16" else "32 bits"
            raise RecipeError(
                f"{name} holds {weight.abs().max().item():g}, more than {settings.format} can: "
                f"choose {other}."
            )
        return Plain.of(narrow)
    coded = _codes(weight, settings, bits)
    if float(coded.scale.max(initial=0)) * 2**bits > LARGEST:
        raise RecipeError(
            f"{name} holds {weight.abs().max().item():g}, more than {bits}-bit codes can: "
            "choose 32 bits."
        )
    return coded


def _codes(weight: Tensor, settings: Quantize, bits: int) -> Codes:
    rows = 1 if settings.granularity == "tensor" else weight.shape[0]
    rows = rows if weight.numel() else 0
    length = weight.numel() // rows if rows else 0
    group = length
    if settings.granularity == "group":
        group = min(settings.group_size, length)
    flat = weight.detach().float().reshape(rows, length) if length else weight.new_zeros(0, 0)
    whole = length // group * group if group else 0
    pieces = []
    if whole:
        pieces.append(flat[:, :whole].reshape(-1, group))
    if whole < length:
        pieces.append(flat[:, whole:])
    coded, scales, zeros = [], [], []
    for piece in pieces:
        grid = Grid.over(*RANGES[settings.range](piece, settings, bits), settings.scheme, bits)
        coded.append(grid.codes(piece).to(torch.uint8).view(rows, -1))
        scales.append(grid.scale.view(rows, -1))
        zeros.append(grid.zero_point.to(torch.uint8).view(rows, -1))
    return Codes(
        shape=tuple(weight.shape),
        bits=bits,
        rows=rows,
        group=group,
        affine=settings.scheme == "affine",
        codes=_flat(coded, np.uint8),
        scale=_flat(scales, np.float32),
        zero_point=_flat(zeros, np.uint8),
    )


def _flat(pieces: list[Tensor], dtype: type) -> np.ndarray:
    if not pieces:
        return np.zeros(0, dtype)
    joined = pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=1)
    return joined.reshape(-1).numpy()
