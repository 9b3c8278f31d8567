"""From the bytes of a picture to the pixels that the network receives, as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workbench.custom.pictures.decode import decode
from workbench.custom.pictures.inspection import SIZES
from workbench.errors import ArtifactError

Pixels = NDArray[np.uint8]
KEYS = ("size", "color", "background", "low", "high")


@dataclass(frozen=True)
class PicturePreprocessing:
    """How a picture of any size becomes pixels of one size.

    The whole picture is scaled to fit into a square; the rest of the square is filled with one
    color. Transparent pixels become white.

    Attributes
    ----------
    size : int
        Height and width of the square in pixels, one of `SIZES`.
    color : bool
        Three channels if true, else one.
    background : tuple of int
        Red, green and blue of the rest of the square, 0 to 255.
    low, high : float
        The values that become black and white in pictures of more than 8 bits.
    """

    size: int
    color: bool
    background: tuple[int, int, int]
    low: float = 0.0
    high: float = 65535.0

    def transform(self, contents: Iterable[bytes]) -> Pixels:
        """Return the pixels of image files.

        Parameters
        ----------
        contents
            The content of each file.

        Returns
        -------
        array
            uint8 [n, size, size], or [n, size, size, 3] with color.

        Raises
        ------
        InputError
            If a file is not a complete picture, or a too large one.
        """
        squares = [self.place(decode(each, self.size, self.low, self.high)) for each in contents]
        return np.stack(squares) if squares else np.zeros((0, *self.shape), np.uint8)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return (self.size, self.size, 3) if self.color else (self.size, self.size)

    def place(self, picture: Pixels) -> Pixels:
        """Return a scaled picture, uint8 [height, width, 3], in the center of the square."""
        square = np.empty((self.size, self.size, 3), np.uint8)
        square[:] = self.background
        square[place(picture.shape, self.size)] = picture
        return square if self.color else np.asarray(Image.fromarray(square).convert("L"))

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data for JSON."""
        return {**asdict(self), "background": list(self.background)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PicturePreprocessing:
        """Return what `as_dict` described.

        Raises
        ------
        ArtifactError
            If a value is missing or out of range.
        """
        size, color, background, low, high = map(values.get, KEYS)
        if (
            set(values) != set(KEYS)
            or size not in SIZES
            or not isinstance(color, bool)
            or not isinstance(background, list)
            or len(background) != 3
            or any(type(value) is not int or not 0 <= value <= 255 for value in background)
            or type(low) is not float
            or type(high) is not float
            or not -inf < low < high < inf
        ):
            raise ArtifactError(
                "The file's description of its pictures is damaged: create the file again.",
                code="artifact.invalid_preprocessing",
            )
        red, green, blue = background
        return cls(size, color, (red, green, blue), low, high)


def place(shape: tuple[int, ...], size: int) -> tuple[slice, slice]:
    """Return the rows and columns of a picture [height, width, …] in the center of a square."""
    height, width = shape[:2]
    row, column = (size - height) // 2, (size - width) // 2
    return slice(row, row + height), slice(column, column + width)
