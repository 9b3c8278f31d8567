"""Decode one picture and scale it to fit into a square."""

from __future__ import annotations

import io
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from workbench import formatting
from workbench.custom.pictures.kinds import readable_formats
from workbench.custom.uploads.limits import PIXELS
from workbench.errors import InputError
from workbench.i18n import _

DEEP_MODES = frozenset({"I", "F", "I;16", "I;16L", "I;16B", "I;16N"})
"""Pillow's modes of more than 8 bits for each value."""

PAGED = frozenset({"GIF", "TIFF", "WEBP"})
"""Formats with several pages or frames; cameras add previews to others."""
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by its orientation in the metadata."""

Pixels = NDArray[np.uint8]


class TooLargeError(Exception):
    """A picture has more than `PIXELS` pixels."""


class BrokenError(Exception):
    """The bytes are not a complete picture of a known format."""


def open_image(content: bytes) -> Image.Image:
    """Return a picture of which only the header is decoded.

    Raises
    ------
    BrokenError, TooLargeError
        If it is not a picture, or a too large one.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PIXELS is the limit; odd metadata does not matter
            image = Image.open(io.BytesIO(content), formats=readable_formats())
    except Image.DecompressionBombError:
        raise TooLargeError from None
    except Exception:  # noqa: BLE001  # image decoders raise many types of errors
        raise BrokenError from None
    if image.width * image.height > PIXELS:
        raise TooLargeError
    return image


def fitted(image: Image.Image, size: int, low: float, high: float) -> Image.Image:
    """Return the whole picture, scaled so that its longer side has `size` pixels.

    Parameters
    ----------
    image
        From `open_image`; it is decoded here. Of several pages or frames the first is used.
    size
        Pixels of the longer side.
    low, high
        The values that become black and white where a value has more than 8 bits.

    Returns
    -------
    Image
        In mode RGB; transparent pixels are white.

    Raises
    ------
    BrokenError
        If the picture is damaged.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image.draft("RGB", (2 * size, 2 * size))  # decodes a large JPEG at reduced size
            image.load()
            scaled = _rgb(_scaled(image, size), low, high)
            turn = TURNS.get(_orientation(image))
            return scaled if turn is None else scaled.transpose(turn)
    except Exception:  # noqa: BLE001  # as above
        raise BrokenError from None


def has_pages(image: Image.Image) -> bool:
    """Whether a file holds more pages or frames than the first."""
    try:
        return image.format in PAGED and bool(getattr(image, "is_animated", False))
    except Exception:  # noqa: BLE001  # later pages may be damaged where the first is not
        return False


def decode(content: bytes, size: int, low: float, high: float) -> Pixels:
    """Return `fitted` for the content of a file, uint8 [height, width, 3].

    Raises
    ------
    InputError
        If it is not a complete picture, or a too large one.
    """
    try:
        return np.asarray(fitted(open_image(content), size, low, high))
    except TooLargeError:
        raise InputError(
            _("The picture has more than {count} pixels: make it smaller.").format(
                count=formatting.count(PIXELS)
            ),
            code="upload.image_too_large",
        ) from None
    except BrokenError:
        raise InputError(
            _("The picture cannot be read: save it again."), code="upload.unreadable_image"
        ) from None


def _scaled(image: Image.Image, size: int) -> Image.Image:
    """Scale the picture in a mode that interpolates colors."""
    if image.mode in DEEP_MODES:
        converted = image.convert("F")
    elif image.has_transparency_data:
        converted = image.convert("RGBA")
    elif image.mode in {"L", "RGB"}:
        converted = image
    else:
        converted = image.convert("RGB")
    longest = max(image.size)
    width, height = (max(1, round(side * size / longest)) for side in image.size)
    return converted.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0)


def _orientation(image: Image.Image) -> int:
    """Return the orientation in the metadata, 1 to 8; 1 if it is missing or invalid."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001  # metadata may be damaged where the pixels are not
        return 1


def _rgb(image: Image.Image, low: float, high: float) -> Image.Image:
    if image.mode == "F":
        values = np.nan_to_num(np.asarray(image))
        shares = np.clip((values - low) / ((high - low) or 1.0), 0, 1)
        image = Image.fromarray(np.rint(shares * 255).astype(np.uint8))
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")
