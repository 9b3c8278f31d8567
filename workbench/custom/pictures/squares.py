"""Pictures in the centers of squares: the color around them, and their order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.custom.pictures.preprocessing import Pixels, place

Rows = NDArray[np.int64]


def background_of(pixels: Pixels, shapes: Rows, rows: Rows) -> tuple[int, int, int]:
    """Return the mean color of some pictures, without what is around them.

    Parameters
    ----------
    pixels
        uint8 [n, size, size, 3]; black around the pictures.
    shapes
        Height and width of each picture, [n, 2].
    rows
        The pictures that count, those of the training split.
    """
    area = int(shapes[rows].prod(axis=1).sum())
    total = sum(pixels[row].sum(axis=(0, 1), dtype=np.int64) for row in rows)
    red, green, blue = (int(value) for value in np.rint(total / area))
    return red, green, blue


def fill(pixels: Pixels, shapes: Rows, background: tuple[int, int, int]) -> None:
    """Fill what is around the pictures with a color, in place."""
    size = pixels.shape[1]
    for row in np.flatnonzero((shapes < size).any(axis=1)):
        picture = pixels[row][place(tuple(shapes[row]), size)].copy()
        pixels[row] = background
        pixels[row][place(picture.shape, size)] = picture


def reorder(array: Pixels, order: Rows) -> Pixels:
    """Return the rows `order` of an array; their memory is that of the array, which changes."""
    source = np.arange(len(array))  # where each original row is now
    row_at = np.arange(len(array))  # the original row at each place
    for target, row in enumerate(order):
        place_of_row = source[row]
        displaced = row_at[target]
        array[[target, place_of_row]] = array[[place_of_row, target]]
        source[displaced], source[row] = place_of_row, target
        row_at[place_of_row], row_at[target] = displaced, row
    return array[: len(order)]
