"""Images in class folders that somebody uploads as a zip: read in memory, never put on disk."""

from __future__ import annotations

import io
import stat
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from workbench import formatting
from workbench.custom.uploads.limits import (
    IMAGES,
    IMAGES_BYTES,
    MAX_CLASSES,
    MAX_RATIO,
    MIN_IMAGES,
    PIXELS,
    SIDE,
    UNPACKED_BYTES,
)
from workbench.custom.uploads.splits import UploadedData, check_classes, quoted, split_rows
from workbench.errors import Cancelled, WorkbenchError
from workbench.i18n import _, plural

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
"""Kinds of images that are opened; some others would start programs."""
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"})
LEAST_PACKED = 1_000
"""Bytes up to which a file is too short for its ratio to say anything."""
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read(
    data: bytes,
    watch: Callable[[float], None] = lambda share: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> UploadedData:
    """Return the images of a zip in which each class has a folder.

    Parameters
    ----------
    data
        The content of the archive.
    watch
        Told the share that is read, from 0 to 1.

    Raises
    ------
    WorkbenchError
        When the archive is too large or dangerous, or holds no images in class folders.
    Cancelled
        When `cancelled()` answers True between two images.
    """
    if len(data) > IMAGES_BYTES:
        raise WorkbenchError(
            _("The archive is larger than {size}: make the images smaller, or keep fewer.").format(
                size=formatting.size(IMAGES_BYTES)
            )
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_entries(archive.infolist())
            found, homeless = _pictures(archive.infolist())
            classes = _classes(found)
            images = []
            for number, info in enumerate(found):
                if cancelled():
                    raise Cancelled("Reading was stopped.")
                images.append(_small(info.filename, _content(archive, info)))
                watch((number + 1) / len(found))
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, ValueError, OSError):
        raise WorkbenchError(
            _("This is not a whole zip archive: pack the folders again.")
        ) from None
    names = tuple(sorted(set(classes)))
    labels = np.array([names.index(name) for name in classes], np.int64)
    check_classes(names, labels)
    pixels = _grey_or_colour(np.stack(images))
    rows = split_rows(labels)
    parts = {name: (pixels[some], labels[some]) for name, some in rows.items()}
    return UploadedData(parts, names, "image", _notes(homeless))


# --- the archive -------------------------------------------------------------------------


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    """Refuse an archive by what it says of itself, before anything is unpacked."""
    if len(entries) > 2 * IMAGES:  # folders and the odd file beside the images
        raise WorkbenchError(
            _("The archive holds more than {count} files: keep fewer.").format(
                count=formatting.count(IMAGES)
            )
        )
    for info in entries:
        if _escapes(info.filename):
            raise WorkbenchError(
                _("The archive holds a path that leads out of it, {name}: pack it again.").format(
                    name=quoted(info.filename)
                )
            )
        if stat.S_ISLNK(info.external_attr >> 16):
            raise WorkbenchError(
                _("{name} in the archive is a link: pack the image itself.").format(
                    name=quoted(info.filename)
                )
            )
        if info.flag_bits & 1:
            raise WorkbenchError(_("The archive is encrypted: pack it without a password."))
        packed = max(LEAST_PACKED, info.compress_size)
        if info.file_size > MAX_RATIO * packed:
            raise WorkbenchError(_too_much())
    if sum(info.file_size for info in entries) > UNPACKED_BYTES:
        raise WorkbenchError(_too_much())


def _too_much() -> str:
    return _("The archive unpacks to far more than images do: it is not opened.")


def _escapes(name: str) -> bool:
    path = name.replace("\\", "/")
    return path.startswith("/") or path[1:2] == ":" or ".." in path.split("/")


def _pictures(entries: list[zipfile.ZipInfo]) -> tuple[list[zipfile.ZipInfo], int]:
    """Return the images in folders, in the order of their names, and how many lie in none."""
    seen = [info for info in entries if not info.is_dir() and _is_picture(_path(info))]
    found = sorted((one for one in seen if len(_path(one).parts) > 1), key=lambda i: i.filename)
    if not found:
        raise WorkbenchError(
            _(
                "The archive has no images in class folders: put those of each class into a "
                "folder of its name, and pack the folders."
            )
        )
    if len(found) > IMAGES:
        raise WorkbenchError(
            _("The archive holds more than {count} images: keep fewer.").format(
                count=formatting.count(IMAGES)
            )
        )
    if len(found) < MIN_IMAGES:
        raise WorkbenchError(
            _("The archive holds {count} images in folders: at least {least} are needed.").format(
                count=len(found), least=MIN_IMAGES
            )
        )
    return found, len(seen) - len(found)


def _path(info: zipfile.ZipInfo) -> PurePosixPath:
    return PurePosixPath(info.filename.replace("\\", "/"))


def _is_picture(path: PurePosixPath) -> bool:
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return path.suffix.lower() in SUFFIXES and not hidden


def _classes(found: list[zipfile.ZipInfo]) -> list[str]:
    """Return the class of each image: the folder that it lies in, whatever is around that."""
    names = [_path(info).parent.name for info in found]
    different = sorted(set(names))
    if len(different) == 1:
        raise WorkbenchError(
            _("All images lie in one folder, {name}: at least two classes are needed.").format(
                name=quoted(different[0])
            )
        )
    if len(different) > MAX_CLASSES:
        raise WorkbenchError(
            _("The archive has {count} class folders: keep {most} or fewer.").format(
                count=formatting.count(len(different)), most=MAX_CLASSES
            )
        )
    return names


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Return a file of the archive, of no more bytes than it says it has."""
    if info.compress_type not in METHODS:
        raise WorkbenchError(_("The archive is packed in an unusual way: pack it as a plain zip."))
    try:
        with archive.open(info) as file:
            content = file.read(info.file_size + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError):
        raise _unreadable(info.filename) from None
    if len(content) > info.file_size:
        raise WorkbenchError(_too_much())
    return content


# --- an image ----------------------------------------------------------------------------


def _small(name: str, content: bytes) -> NDArray[np.uint8]:
    """Return the middle of an image as uint8 [side, side, 3], what is clear in it white."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit is ours
            image = Image.open(io.BytesIO(content), formats=FORMATS)
        large = image.width * image.height > PIXELS
    except Image.DecompressionBombError:
        large = True
    except Exception:  # noqa: BLE001  # the readers of images fail in many ways
        raise _unreadable(name) from None
    if large:
        raise WorkbenchError(
            _("The image {name} has more than {count} pixels: make it smaller.").format(
                name=quoted(name), count=formatting.count(PIXELS)
            )
        )
    try:
        image.draft("RGB", (2 * SIDE, 2 * SIDE))  # a large JPEG need not be read in full
        return np.asarray(ImageOps.fit(_opaque(ImageOps.exif_transpose(image)), (SIDE, SIDE)))
    except Exception:  # noqa: BLE001  # as above
        raise _unreadable(name) from None


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode in {"I", "I;16", "F"}:  # more than 8 bits: what lies between least and most
        values = np.asarray(image, np.float64)
        low, high = values.min(), values.max()
        image = Image.fromarray(((values - low) * 255 / ((high - low) or 1)).astype(np.uint8))
    if not image.has_transparency_data:
        return image.convert("RGB")
    clear = image.convert("RGBA")
    white = Image.new("RGBA", clear.size, "white")
    return Image.alpha_composite(white, clear).convert("RGB")


def _grey_or_colour(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return [n, side, side] where no image has colour, else what was given."""
    first = images[..., :1]
    return images[..., 0].copy() if bool((images == first).all()) else images


def _unreadable(name: str) -> WorkbenchError:
    return WorkbenchError(
        _("The image {name} cannot be read: leave it out, or save it again.").format(
            name=quoted(name)
        )
    )


def _notes(homeless: int) -> tuple[str, ...]:
    if not homeless:
        return ()
    sentence = plural(
        "{count} image outside class folders is left out.",
        "{count} images outside class folders are left out.",
        homeless,
    )
    return (sentence.format(count=formatting.count(homeless)),)
