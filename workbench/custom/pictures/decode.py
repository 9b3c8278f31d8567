"""Decode one picture and scale it to fit into a square."""

from __future__ import annotations

import io
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from workbench import formatting
from workbench.custom.pictures.kinds import readable_formats
from workbench.custom.uploads.limits import PIXELS
from workbench.errors import InputError
from workbench.i18n import _

DEEP_MODES = frozenset({"I", "F", "I;16", "I;16L", "I;16B", "I;16N"})
"""Pillow's modes of more than 8 bits for each value."""

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
        When it is not a picture, or a too large one.
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


def fitted(image: Image.Image, size: int, low: float, high: float) -> Pixels:
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
    array
        uint8 [height, width, 3]; transparent pixels are white.

    Raises
    ------
    BrokenError
        When the picture is damaged.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image.draft("RGB", (2 * size, 2 * size))  # decodes a large JPEG at reduced size
            image.load()
            scaled = _scaled(image, size)
            return np.asarray(_rgb(ImageOps.exif_transpose(scaled), low, high))
    except Exception:  # noqa: BLE001  # as above
        raise BrokenError from None


def decode(content: bytes, size: int, low: float, high: float) -> Pixels:
    """Return `fitted` for the content of a file.

    Raises
    ------
    InputError
        When it is not a complete picture, or a too large one.
    """
    try:
        return fitted(open_image(content), size, low, high)
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
    """Scale the picture in a mode that interpolates colors; keep its orientation mark."""
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
    scaled = converted.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0)
    scaled.info["exif"] = image.getexif().tobytes()
    return scaled


def _rgb(image: Image.Image, low: float, high: float) -> Image.Image:
    if image.mode == "F":
        values = np.nan_to_num(np.asarray(image))
        shares = np.clip((values - low) / ((high - low) or 1.0), 0, 1)
        image = Image.fromarray(np.rint(shares * 255).astype(np.uint8))
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")
