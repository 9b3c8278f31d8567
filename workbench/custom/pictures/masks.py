"""Masks: pictures of two values that mark regions of other pictures."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

import numpy as np
from PIL import Image

from workbench.custom.pictures.decode import BrokenError, TooLargeError, open_image
from workbench.custom.pictures.files import Files, TooLongError, UnreadableError
from workbench.custom.pictures.names import says_mask

SAMPLES = 5
"""Pictures of a folder that are looked at."""
LONGEST = 256
"""Longer sides are reduced before the values are counted."""
NEAR = 24
"""Compression changes values by less."""
SHARE = 0.99
"""Share of the pixels near one of two values."""


def masks_of(files: Files, paths: Iterable[PurePosixPath]) -> set[PurePosixPath]:
    """Return the pictures whose names say that they are masks, and that have two values only.

    A group is the pictures of a folder whose names, or whose folder's names, say so. It is left
    out as a whole if samples of it have two values.
    """
    groups: dict[tuple[PurePosixPath, bool], list[PurePosixPath]] = {}
    for path in paths:
        by_file = says_mask(path.stem)
        if by_file or any(map(says_mask, path.parent.parts)):
            groups.setdefault((path.parent, by_file), []).append(path)
    return {path for group in groups.values() if _are_masks(files, group) for path in group}


def _are_masks(files: Files, group: list[PurePosixPath]) -> bool:
    chosen = np.unique(np.linspace(0, len(group) - 1, SAMPLES).round().astype(int))
    counts = [count for n in chosen if (count := _values(files, group[n])) is not None]
    return bool(counts) and max(counts) == 2


def _values(files: Files, path: PurePosixPath) -> int | None:
    """Return the number of gray values of a picture: 1, 2, or 3 for more; None if damaged."""
    try:
        image = open_image(files.content(path))
        image.draft("L", (LONGEST, LONGEST))
        image.thumbnail((LONGEST, LONGEST), Image.Resampling.NEAREST)
        gray = np.asarray(image.convert("L"), np.int16)
    except (BrokenError, TooLargeError, TooLongError, UnreadableError):
        return None
    except Exception:  # noqa: BLE001  # image decoders raise many types of errors
        return None
    low, high = int(gray.min()), int(gray.max())
    if low == high:
        return 1
    near = min(NEAR, (high - low) / 8)
    share = float(((gray - low <= near) | (high - gray <= near)).mean())
    return 2 if share >= SHARE else 3
