"""From float tensors to codes."""

from __future__ import annotations

import torch
from torch import Tensor

from workbench.compression.coded import Codes, Uncompressed
from workbench.compression.compensate import ExpandedQParams
from workbench.compression.pieces import PIECE_SIZE
from workbench.compression.qparams import QParams
from workbench.compression.ranges import RANGES
from workbench.errors import RecipeError
from workbench.recipe import Quantize
from workbench.threads import parallel_map

LARGEST = torch.finfo(torch.float32).max
FLOATS = {"bf16": torch.bfloat16, "fp16": torch.float16}


def bits_of(name: str, settings: Quantize) -> int:
    """Return the bits that `settings` give the tensor called `name`: 32 leaves it alone."""
    return 32 if name in settings.exclude else int(settings.layers.get(name, settings.bits))


def quantize(
    name: str, weight: Tensor, settings: Quantize, qparams: list[QParams] | None = None
) -> Uncompressed | Codes:
    """Return `weight` in the number of bits that `settings` give the tensor called `name`.

    `grids` are those to use, one per entry of `split_rows`, instead of the ones that fit best.

    Raises
    ------
    RecipeError
        When the largest value does not fit.
    """
    bits = bits_of(name, settings)
    if bits == 32:
        return Uncompressed.of(weight)
    if bits == 16:
        narrow = weight.to(FLOATS[settings.format])
        if not torch.isfinite(narrow).all():
            other = "bf16" if settings.format == "fp16" else "32 bits"
            raise RecipeError(
                f"{name} holds {weight.abs().max().item():g}, more than {settings.format} can: "
                f"choose {other}."
            )
        return Uncompressed.of(narrow)
    coded = _codes(weight, settings, bits, qparams)
    if float(coded.scale.max(initial=0)) * 2**bits > LARGEST:
        raise RecipeError(
            f"{name} holds {weight.abs().max().item():g}, more than {bits}-bit codes can: "
            "choose 32 bits."
        )
    return coded


def split_rows(weight: Tensor, settings: Quantize) -> list[Tensor]:
    """Return `weight` cut into rows that share a scale each: one or two matrices, float32.

    There are two where groups do not divide a channel evenly: whole groups, then what is left of
    each channel.
    """
    rows, length, group = _layout(weight, settings)
    flat = weight.float().reshape(rows, length) if length else weight.new_zeros(0, 0)
    whole = length // group * group if group else 0
    cut = [flat[:, :whole].reshape(-1, group)] if whole else []
    return [*cut, flat[:, whole:]] if whole < length else cut


def join_rows(cut: list[Tensor], weight: Tensor, settings: Quantize) -> Tensor:
    """Put together what `split_rows` cut: a tensor of `weight`'s shape."""
    if not cut:  # it is empty
        return weight
    rows, _length, _group = _layout(weight, settings)
    return torch.cat([piece.reshape(rows, -1) for piece in cut], dim=1).view(weight.shape)


def fit_qparams(weight: Tensor, settings: Quantize, bits: int) -> list[QParams]:
    """Return the grids that suit `weight` best by the range in `settings`, one per piece."""
    return _fitted(split_rows(weight, settings), settings, bits)


def _fitted(cut: list[Tensor], settings: Quantize, bits: int) -> list[QParams]:
    return [
        QParams.over(*RANGES[settings.range](piece, settings, bits), settings.scheme, bits)
        for piece in cut
    ]


def expand_qparams(weight: Tensor, settings: Quantize, qparams: list[QParams]) -> ExpandedQParams:
    """Return the grid of every weight, as rows of `weight` flattened behind its first axis."""

    def spread(numbers: list[Tensor]) -> Tensor:
        wide = [
            number.unsqueeze(1).expand(piece.shape)
            for number, piece in zip(numbers, split_rows(weight, settings), strict=True)
        ]
        return join_rows(wide, weight, settings).flatten(1)

    scale = spread([grid.scale for grid in qparams])
    return ExpandedQParams(scale, spread([grid.zero_point for grid in qparams]), qparams[0].top)


def _layout(weight: Tensor, settings: Quantize) -> tuple[int, int, int]:
    """Return the rows, the values in each, and how many of them share a scale."""
    rows = 1 if settings.granularity == "tensor" else weight.shape[0]
    rows = rows if weight.numel() else 0
    length = weight.numel() // rows if rows else 0
    group = min(settings.group_size, length) if settings.granularity == "group" else length
    return rows, length, group


def _codes(weight: Tensor, settings: Quantize, bits: int, qparams: list[QParams] | None) -> Codes:
    rows, length, group = _layout(weight, settings)
    weight = weight.detach()
    codes = torch.empty(rows, length, dtype=torch.uint8)
    parts = [(weight, codes)]
    if (
        qparams is None and rows > 1
    ):  # rows have grids of their own: some at a time stay in the cache
        some = max(1, PIECE_SIZE // length)
        parts = list(zip(weight.split(some), codes.split(some), strict=True))
    found = parallel_map(lambda part: _filled(*part, settings, bits, qparams), parts)
    scales, zeros = zip(*found, strict=True)
    return Codes(
        shape=tuple(weight.shape),
        bits=bits,
        rows=rows,
        group=group,
        affine=settings.scheme == "affine",
        codes=codes.reshape(-1).numpy(),
        scale=torch.cat(scales).numpy(),
        zero_point=torch.cat(zeros).numpy(),
    )


def _filled(
    weight: Tensor, codes: Tensor, settings: Quantize, bits: int, qparams: list[QParams] | None
) -> tuple[Tensor, Tensor]:
    """Fill the rows of `codes`, uint8; return scales, float32, and zero points, uint8, flat."""
    rows = len(codes)
    cut = split_rows(weight, settings)
    qparams = qparams or _fitted(cut, settings, bits)
    at = 0
    for piece, grid in zip(cut, qparams, strict=True):
        found = grid.codes(piece).view(rows, -1)
        codes[:, at : at + found.shape[1]] = found
        at += found.shape[1]
    if not cut:
        return torch.zeros(0), torch.zeros(0, dtype=torch.uint8)
    scales = torch.cat([grid.scale.view(rows, -1) for grid in qparams], dim=1)
    zeros = torch.cat([grid.zero_point.view(rows, -1) for grid in qparams], dim=1)
    return scales.reshape(-1), zeros.to(torch.uint8).reshape(-1)
