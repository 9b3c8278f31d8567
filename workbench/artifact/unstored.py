"""The optional header key `unstored`: fingerprints of values that the network uses without storing.

A user's module may hold tensors that are neither parameters nor saved buffers. The file describes
each one by its shape, its largest magnitude and a few signed sums, which rounding hardly changes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from workbench.errors import ArtifactError

UNSTORED_KEY = "unstored"
SUMS = 4
"""Signed sums of each tensor."""
TOLERANCE = 5e-3
"""Largest difference between equal tensors: half precision and other processors round."""

Fingerprint = list[Any]
"""The shape, the largest magnitude, and the signed sums of a tensor."""


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
        for name, fingerprint in expected.items()
        if name not in actual or not _agree(fingerprint, actual[name])
    ]


def _agree(first: Fingerprint, second: Fingerprint) -> bool:
    (shape, scale, sums), (other_shape, other_scale, other_sums) = first, second
    return (
        shape == other_shape
        and math.isclose(scale, other_scale, rel_tol=TOLERANCE)
        and all(abs(a - b) <= TOLERANCE for a, b in zip(sums, other_sums, strict=True))
    )


def _is_valid(fingerprint: Any) -> bool:
    match fingerprint:
        case [list(shape), scale, [*sums]]:
            sizes = all(type(size) is int and size >= 0 for size in shape)
            return sizes and len(sums) == SUMS and all(map(_is_number, (scale, *sums)))
    return False


def _is_number(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value)
