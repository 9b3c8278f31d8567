"""The optional header key `unstored`: fingerprints of values that the network uses without storing.

A user's module may hold tensors that are neither parameters nor saved buffers. The file describes
each one by its shape, its largest magnitude and a few signed sums, which rounding hardly changes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.errors import ArtifactError

UNSTORED_KEY = "unstored"
SUMS = 4
"""Signed sums of each tensor."""
PART = 2**20
"""Values that are converted to float64 at once."""
TOLERANCE = 5e-3
"""Largest difference between equal tensors: half precision and other processors round."""

Fingerprint = list[Any]
"""The shape, the largest magnitude, and the signed sums of a tensor."""


def fingerprint(tensor: Tensor) -> Fingerprint:
    """Return the shape, the largest finite magnitude and the signed sums of a tensor.

    The signs are pseudo-random numbers of the position (SplitMix64). The sums are divided by the
    norm. Sums of unrelated tensors differ by about 1, those of tensors that differ by rounding
    hardly at all.
    """
    dense = tensor.detach().cpu().resolve_conj().resolve_neg()
    flat = (torch.view_as_real(dense) if dense.is_complex() else dense).flatten()
    scale = max((_largest(part) for part in flat.split(PART)), default=0.0)
    sums, squares = np.zeros(SUMS), 0.0
    for start in range(0, len(flat), PART):
        values = flat[start : start + PART].double().numpy()
        ratios = np.nan_to_num(values / (scale or 1.0), nan=3.0, posinf=2.0, neginf=-2.0)
        squares += float(np.square(ratios).sum())
        bits = _split_mix(start, len(values))
        for n in range(SUMS):
            sums[n] += np.where(bits >> np.uint64(n) & np.uint64(1), -ratios, ratios).sum()
    sums /= math.sqrt(squares) or 1.0
    return [list(tensor.shape), _short(scale), [_short(total) for total in sums]]


def _largest(part: Tensor) -> float:
    """Return the largest finite magnitude; 0 if there is none."""
    values = part.double().numpy()
    return float(np.abs(values[np.isfinite(values)]).max(initial=0.0))


def _short(value: float) -> float:
    return float(f"{value:.5g}")


def _split_mix(start: int, count: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Return `count` numbers of SplitMix64 with the seed 0, after the first `start`."""
    numbers = np.arange(start + 1, start + count + 1, dtype=np.uint64)
    state = numbers * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def check_fingerprints(content: Any) -> None:
    """Check the structure of a value of the header key `unstored`.

    Raises
    ------
    ArtifactError
        If it is not a dict of fingerprints.
    """
    if not (isinstance(content, dict) and content and all(map(_is_valid, content.values()))):
        raise ArtifactError(
            "The file's description of values that it does not store is damaged: download or save "
            "the file again.",
            code="artifact.invalid_unstored",
        )


def differing(expected: Mapping[str, Fingerprint], actual: Mapping[str, Fingerprint]) -> list[str]:
    """Return the names in `expected` that are absent from `actual` or differ there."""
    return [
        name
        for name, content in expected.items()
        if name not in actual or not _agree(content, actual[name])
    ]


def _agree(first: Fingerprint, second: Fingerprint) -> bool:
    (shape, scale, sums), (other_shape, other_scale, other_sums) = first, second
    return (
        shape == other_shape
        and math.isclose(scale, other_scale, rel_tol=TOLERANCE)
        and all(abs(a - b) <= TOLERANCE for a, b in zip(sums, other_sums, strict=True))
    )


def _is_valid(content: Any) -> bool:
    match content:
        case [list(shape), scale, [*sums]]:
            sizes = all(type(size) is int and size >= 0 for size in shape)
            return sizes and len(sums) == SUMS and all(map(_is_number, (scale, *sums)))
    return False


def _is_number(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value)
