"""Decode all pictures of a source into one array."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workbench.cancel import CancelToken
from workbench.custom.pictures import duplicates
from workbench.custom.pictures.decode import (
    DEEP_MODES,
    BrokenError,
    Pixels,
    TooLargeError,
    fitted,
    has_pages,
    open_image,
)
from workbench.custom.pictures.files import Files, TooLongError, UnreadableError
from workbench.custom.pictures.preprocessing import place

SAMPLES = 50
"""Pictures whose size decides on the default size."""
SMALL = 48
"""Pixels of the longer side up to which pictures are small."""
INTEGER_RANGES = (255.0, 1023.0, 4095.0, 16383.0, 65535.0)
"""Largest values of 8, 10, 12, 14 and 16 bits."""


@dataclass
class Decoded:
    """All pictures of a source that can be read.

    Attributes
    ----------
    pixels : array
        uint8 [n, size, size, 3]; each picture is in the center, the rest is black.
    shapes : array
        int64 [n, 2]: height and width of each picture within the square.
    paths : list
        The path of each picture, [n].
    failed : dict
        The paths that cannot be read, by kind.
    thumbnails : array
        uint8 [n, 16, 16, 3].
    digests : list of bytes
        SHA-256 of each file, [n].
    color : bool
        Whether any picture has color.
    levels : tuple of float
        The values that became black and white where a value has more than 8 bits.
    largest : tuple of int
        Width and height of the picture with the most pixels.
    pages : int
        Files with several pages or frames, of which the first is used.
    """

    pixels: Pixels
    shapes: NDArray[np.int64]
    paths: list[PurePosixPath]
    failed: dict[str, list[PurePosixPath]]
    thumbnails: Pixels
    digests: list[bytes]
    color: bool
    levels: tuple[float, float]
    largest: tuple[int, int]
    pages: int


def default_size(files: Files, paths: Sequence[PurePosixPath]) -> int:
    """Return 28 if most pictures are small, else 64."""
    sides = []
    for number in np.unique(np.linspace(0, len(paths) - 1, SAMPLES).round().astype(int)):
        try:
            sides.append(max(open_image(files.content(paths[number])).size))
        except (BrokenError, TooLargeError, TooLongError, UnreadableError):
            continue
    return 28 if sides and float(np.median(sides)) <= SMALL else 64


def decode_all(
    files: Files, paths: Sequence[PurePosixPath], size: int, cancel: CancelToken
) -> Decoded:
    """Return the pictures of `paths`, scaled to fit into squares of `size` pixels.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled between two pictures.
    """
    result = Decoded(
        np.zeros((len(paths), size, size, 3), np.uint8),
        np.zeros((len(paths), 2), np.int64),
        [],
        {},
        np.zeros((len(paths), duplicates.SIDE, duplicates.SIDE, 3), np.uint8),
        [],
        False,
        (0.0, INTEGER_RANGES[-1]),
        (0, 0),
        0,
    )
    levels: tuple[float, float] | None = None
    for number, path in enumerate(paths):
        cancel.check()
        try:
            content = files.content(path)
            image = open_image(content)
            if image.mode in DEEP_MODES and levels is None:
                levels = result.levels = _levels(files, paths, cancel)
            full, is_paged = image.size, has_pages(image)
            picture = fitted(image, size, *result.levels)
        except (BrokenError, UnreadableError):
            result.failed.setdefault("broken", []).append(path)
        except (TooLargeError, TooLongError):
            result.failed.setdefault("too large", []).append(path)
        else:
            _add(result, path, content, picture)
            result.pages += is_paged
            result.largest = max(result.largest, full, key=lambda each: each[0] * each[1])
        cancel.progress((number + 1) / len(paths))
    count = len(result.paths)
    result.pixels, result.shapes = result.pixels[:count], result.shapes[:count]
    result.thumbnails = result.thumbnails[:count]
    return result


def _add(result: Decoded, path: PurePosixPath, content: bytes, image: Image.Image) -> None:
    row, picture = len(result.paths), np.asarray(image)
    result.pixels[row][place(picture.shape, result.pixels.shape[1])] = picture
    result.shapes[row] = picture.shape[:2]
    result.thumbnails[row] = duplicates.thumbnail(image)
    result.paths.append(path)
    result.digests.append(hashlib.sha256(content).digest())
    result.color = result.color or bool((picture != picture[..., :1]).any())


def _levels(
    files: Files, paths: Sequence[PurePosixPath], cancel: CancelToken
) -> tuple[float, float]:
    """Return black and white of the pictures with more than 8 bits, from their extreme values.

    Integers range from 0 to the largest value of as many bits as they need.
    """
    lows, highs, is_whole = [0.0], [0.0], True
    for path in paths:
        cancel.check()
        try:
            image = open_image(files.content(path))
            extremes = image.getextrema() if image.mode in DEEP_MODES else 0
        except Exception:  # noqa: BLE001  # image decoders raise many; decoding reports it
            extremes = 0
        low, high = np.broadcast_to(np.array(extremes, np.float64), 2).tolist()
        if isfinite(low) and isfinite(high):
            lows.append(low)
            highs.append(high)
            is_whole = is_whole and low == int(low) and high == int(high)
    low, high = min(lows), max(highs)
    if is_whole and low >= 0:
        return 0.0, next((limit for limit in INTEGER_RANGES if limit >= high), high)
    return low, max(high, 1.0)
