"""Quantize float tensors to integer codes or 16-bit floats."""

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
    """Return the number of bits for the tensor `name`; 32 leaves it as it is."""
    return 32 if name in settings.exclude else int(settings.layers.get(name, settings.bits))


def quantize(
    name: str, weight: Tensor, settings: Quantize, qparams: list[QParams] | None = None
) -> Uncompressed | Codes:
    """Quantize `weight` to the number of bits that `settings` give the tensor `name`.

    `qparams`, one per entry of `split_rows`, replace those that `fit_qparams` would choose.

    Raises
    ------
    RecipeError
        If the largest value does not fit.
    """
    bits = bits_of(name, settings)
    if bits == 32:
        return Uncompressed.of(weight)
    if bits == 16:
        narrow = weight.to(FLOATS[settings.format])
        if not torch.isfinite(narrow).all():
            other = "bf16" if settings.format == "fp16" else "32 bits"
            raise _too_large(name, weight, f"{settings.format} can represent: choose {other}.")
        return Uncompressed.of(narrow)
    coded = _codes(weight, settings, bits, qparams)
    if float(coded.scale.max(initial=0)) * 2**bits > LARGEST:
        raise _too_large(name, weight, f"{bits}-bit codes can represent: choose 32 bits.")
    return coded


def _too_large(name: str, weight: Tensor, limit: str) -> RecipeError:
    largest = weight.abs().max().item()
    return RecipeError(
        f"{name} holds {largest:g}, more than {limit}", code="recipe.weight_too_large"
    )


def split_rows(weight: Tensor, settings: Quantize) -> list[Tensor]:
    """Split `weight` into rows that share a scale each: one or two float32 matrices.

    There are two if the group size does not divide a channel: the full groups, then the remainder
    of each channel.
    """
    rows, length, group = _layout(weight, settings)
    flat = weight.float().reshape(rows, length) if length else weight.new_zeros(0, 0)
    full = length // group * group if group else 0
    pieces = [flat[:, :full].reshape(-1, group)] if full else []
    return [*pieces, flat[:, full:]] if full < length else pieces


def join_rows(pieces: list[Tensor], weight: Tensor, settings: Quantize) -> Tensor:
    """Undo `split_rows` for a tensor of the shape of `weight`."""
    if not pieces:  # the tensor is empty
        return weight
    rows, _length, _group = _layout(weight, settings)
    return torch.cat([piece.reshape(rows, -1) for piece in pieces], dim=1).view(weight.shape)


def fit_qparams(weight: Tensor, settings: Quantize, bits: int) -> list[QParams]:
    """Return the quantization parameters for `weight`, one per entry of `split_rows`."""
    return _fit(split_rows(weight, settings), settings, bits)


def _fit(pieces: list[Tensor], settings: Quantize, bits: int) -> list[QParams]:
    return [
        QParams.from_range(*RANGES[settings.range](piece, settings, bits), settings.scheme, bits)
        for piece in pieces
    ]


def expand_qparams(weight: Tensor, settings: Quantize, qparams: list[QParams]) -> ExpandedQParams:
    """Return the parameters of every weight, for `weight` flattened to [shape[0], ·]."""

    def expand(per_row: list[Tensor]) -> Tensor:
        expanded = [
            values.unsqueeze(1).expand(piece.shape)
            for values, piece in zip(per_row, split_rows(weight, settings), strict=True)
        ]
        return join_rows(expanded, weight, settings).flatten(1)

    scale = expand([q.scale for q in qparams])
    return ExpandedQParams(scale, expand([q.zero_point for q in qparams]), qparams[0].top)


def _layout(weight: Tensor, settings: Quantize) -> tuple[int, int, int]:
    """Return the number of rows, the length of each, and the values that share a scale."""
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
    if qparams is None and rows > 1:  # rows are independent: process as many as fit the cache
        count = max(1, PIECE_SIZE // length)
        parts = list(zip(weight.split(count), codes.split(count), strict=True))
    results = parallel_map(lambda part: _fill(*part, settings, bits, qparams), parts)
    scales, zeros = zip(*results, strict=True)
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


def _fill(
    weight: Tensor, codes: Tensor, settings: Quantize, bits: int, qparams: list[QParams] | None
) -> tuple[Tensor, Tensor]:
    """Fill the rows of `codes`, uint8; return flat scales, float32, and zero points, uint8."""
    rows = len(codes)
    pieces = split_rows(weight, settings)
    qparams = qparams or _fit(pieces, settings, bits)
    at = 0
    for piece, piece_qparams in zip(pieces, qparams, strict=True):
        piece_codes = piece_qparams.codes(piece).view(rows, -1)
        codes[:, at : at + piece_codes.shape[1]] = piece_codes
        at += piece_codes.shape[1]
    if not pieces:
        return torch.zeros(0), torch.zeros(0, dtype=torch.uint8)
    scales = torch.cat([q.scale.view(rows, -1) for q in qparams], dim=1)
    zeros = torch.cat([q.zero_point.view(rows, -1) for q in qparams], dim=1)
    return scales.reshape(-1), zeros.to(torch.uint8).reshape(-1)
