"""Pictures that are nearly the same: saved again, resized or slightly brighter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 16
"""Height and width of the thumbnails that are compared."""
CORRELATION = 0.99
"""At least this correlation of gray values makes a pair a candidate."""
DIFFERENCE = 8.0
"""Largest mean difference of the color values of two pictures that are nearly the same."""
MIN_CONTRAST = 3.0
"""Pictures whose gray values deviate less have no content to compare."""
BLOCK = 512
"""Pictures compared with all earlier ones at a time."""
CANDIDATES = 8
"""Earlier pictures that each picture is compared with in color."""

Thumbnails = NDArray[np.uint8]


def thumbnail(picture: Image.Image) -> Thumbnails:
    """Return a picture in mode RGB as uint8 [SIDE, SIDE, 3]."""
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX))


def groups_of(thumbnails: Thumbnails, contents: list[bytes]) -> NDArray[np.int64]:
    """Return for each picture the index of the first one that is nearly the same, [n].

    Parameters
    ----------
    thumbnails
        uint8 [n, SIDE, SIDE, 3].
    contents
        A digest of each file; equal ones are the same picture.
    """
    groups = np.arange(len(thumbnails), dtype=np.int64)
    first: dict[bytes, int] = {}
    patterns = _patterns(thumbnails)
    for start in range(0, len(thumbnails), BLOCK):
        stop = min(start + BLOCK, len(thumbnails))
        likeness = patterns[start:stop] @ patterns[:stop].T
        for row in range(start, stop):
            same = first.setdefault(contents[row], row)
            if same == row:
                same = _first_alike(thumbnails, row, likeness[row - start, :row])
            groups[row] = groups[same]
    return groups


def _patterns(thumbnails: Thumbnails) -> NDArray[np.float32]:
    """Return gray values of mean 0 and norm 1, [n, SIDE²]; zeros where there is no contrast."""
    gray = thumbnails.reshape(len(thumbnails), -1, 3).mean(axis=2, dtype=np.float32)
    gray -= gray.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(gray, axis=1, keepdims=True)
    flat = norms < MIN_CONTRAST * SIDE
    result: NDArray[np.float32] = np.where(flat, 0, gray / np.maximum(norms, 1e-9))
    return result


def _first_alike(thumbnails: Thumbnails, row: int, likeness: NDArray[np.float32]) -> int:
    """Return the first picture before `row` that is nearly the same, or `row`."""
    candidates = np.flatnonzero(likeness >= CORRELATION)[:CANDIDATES]
    if not candidates.size:
        return row
    others = thumbnails[candidates].astype(np.int16)
    differences = np.abs(others - thumbnails[row]).mean(axis=(1, 2, 3))
    alike = candidates[differences <= DIFFERENCE]
    return int(alike[0]) if alike.size else row
