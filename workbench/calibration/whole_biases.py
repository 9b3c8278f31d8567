"""Choose the layers whose biases become whole numbers of steps of their sums."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from workbench.compression.coded import Coded, Codes


def layers_with_whole_biases(tensors: Mapping[str, Coded], layers: Iterable[str]) -> list[str]:
    """Return those of `layers` that have a bias, and codes with one scale per row."""
    return [path for path in layers if f"{path}.bias" in tensors and _row_codes(tensors, path)]


def with_fine_zero_rows(tensors: Mapping[str, Coded], layers: Iterable[str]) -> dict[str, Coded]:
    """Return `tensors` where rows of zeros have the smallest scale of the other rows.

    The scale of such a row decodes no weight, but it is the step of its bias.
    """
    result = dict(tensors)
    for path in layers:
        codes = _row_codes(tensors, path)
        if codes is not None:
            result[f"{path}.weight"] = replace(codes, scale=_fine(codes))
    return result


def _fine(codes: Codes) -> NDArray[np.float32]:
    rows = codes.nonzero.reshape(codes.rows, -1).any(axis=1)
    return np.where(rows, codes.scale, codes.scale[rows].min()) if rows.any() else codes.scale


def _row_codes(tensors: Mapping[str, Coded], path: str) -> Codes | None:
    coded = tensors[f"{path}.weight"]
    return coded if isinstance(coded, Codes) and coded.has_row_scales else None
