"""Uploaded zip archives of images in class folders, read in memory and never written to disk."""

from __future__ import annotations

import io
import stat
import warnings
import zipfile
import zlib
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from workbench import formatting
from workbench.cancel import NEVER, CancelToken
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
from workbench.errors import InputError, WorkbenchError
from workbench.i18n import _, plural

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
"""Image formats that are opened; Pillow runs external programs for some others."""
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"})
MIN_PACKED_BYTES = 1_000
"""Compressed files are treated as at least this long, since ratios of short ones mean little."""
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read(
    data: bytes,
    cancel: CancelToken = NEVER,
) -> UploadedData:
    """Return the images of a zip archive in which each class has a folder.

    Parameters
    ----------
    data
        The content of the archive.
    cancel
        Checked between two images; receives the progress.

    Raises
    ------
    InputError
        When the archive is too large or unsafe, or contains no images in class folders.
    Cancelled
        If `cancel` is cancelled between two images.
    """
    if len(data) > IMAGES_BYTES:
        raise InputError(
            _("The archive is larger than {size}: use smaller or fewer images.").format(
                size=formatting.size(IMAGES_BYTES)
            ),
            code="upload.too_large",
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_entries(archive.infolist())
            entries, outside = _images(archive.infolist())
            classes = _classes(entries)
            images = []
            for number, info in enumerate(entries):
                cancel.check()
                images.append(_resized(info.filename, _content(archive, info)))
                cancel.progress((number + 1) / len(entries))
    except WorkbenchError:
        raise
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, ValueError, OSError):
        raise InputError(
            _("This is not a complete zip archive: create it again."), code="upload.not_zip"
        ) from None
    names = tuple(sorted(set(classes)))
    labels = np.array([names.index(name) for name in classes], np.int64)
    check_classes(names, labels)
    pixels = _gray_or_color(np.stack(images))
    parts = {name: (pixels[rows], labels[rows]) for name, rows in split_rows(labels).items()}
    return UploadedData(parts, names, "image", _notes(outside))


# --- the archive -------------------------------------------------------------------------


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    """Check an archive by its directory, before anything is decompressed."""
    if len(entries) > 2 * IMAGES:  # folders and a few other files next to the images
        raise InputError(
            _("The archive contains more than {count} files: keep fewer.").format(
                count=formatting.count(IMAGES)
            ),
            code="upload.too_many_files",
        )
    for info in entries:
        if _escapes(info.filename):
            raise InputError(
                _("The archive contains a path outside of it, {name}: create it again.").format(
                    name=quoted(info.filename)
                ),
                code="upload.unsafe_path",
            )
        if stat.S_ISLNK(info.external_attr >> 16):
            raise InputError(
                _("{name} in the archive is a link: add the image itself.").format(
                    name=quoted(info.filename)
                ),
                code="upload.link",
            )
        if info.flag_bits & 1:
            raise InputError(
                _("The archive is encrypted: create it without a password."),
                code="upload.encrypted",
            )
        packed = max(MIN_PACKED_BYTES, info.compress_size)
        if info.file_size > MAX_RATIO * packed:
            raise _too_large_unpacked()
    if sum(info.file_size for info in entries) > UNPACKED_BYTES:
        raise _too_large_unpacked()


def _too_large_unpacked() -> InputError:
    return InputError(
        _("The archive is not opened: it unpacks to far more data than images need."),
        code="upload.unpacks_too_large",
    )


def _escapes(name: str) -> bool:
    path = name.replace("\\", "/")
    return path.startswith("/") or path[1:2] == ":" or ".." in path.split("/")


def _images(entries: list[zipfile.ZipInfo]) -> tuple[list[zipfile.ZipInfo], int]:
    """Return the images in folders, sorted by name, and the number of images outside folders."""
    images = [info for info in entries if not info.is_dir() and _is_image(_path(info))]
    in_folders = sorted(
        (info for info in images if len(_path(info).parts) > 1), key=lambda info: info.filename
    )
    if not in_folders:
        raise InputError(
            _(
                "The archive has no images in class folders: put the images of each class into a "
                "folder named after it, and add the folders."
            ),
            code="upload.no_class_folders",
        )
    if len(in_folders) > IMAGES:
        raise InputError(
            _("The archive contains more than {count} images: keep fewer.").format(
                count=formatting.count(IMAGES)
            ),
            code="upload.too_many_files",
        )
    if len(in_folders) < MIN_IMAGES:
        raise InputError(
            _("The archive has {count} images in folders: at least {least} are needed.").format(
                count=len(in_folders), least=MIN_IMAGES
            ),
            code="upload.too_few_examples",
        )
    return in_folders, len(images) - len(in_folders)


def _path(info: zipfile.ZipInfo) -> PurePosixPath:
    return PurePosixPath(info.filename.replace("\\", "/"))


def _is_image(path: PurePosixPath) -> bool:
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return path.suffix.lower() in SUFFIXES and not hidden


def _classes(images: list[zipfile.ZipInfo]) -> list[str]:
    """Return the class of each image: the name of its innermost folder."""
    names = [_path(info).parent.name for info in images]
    distinct = sorted(set(names))
    if len(distinct) == 1:
        raise InputError(
            _("All images are in one folder, {name}: at least two classes are needed.").format(
                name=quoted(distinct[0])
            ),
            code="upload.one_class",
        )
    if len(distinct) > MAX_CLASSES:
        raise InputError(
            _("The archive has {count} class folders: keep {most} or fewer.").format(
                count=formatting.count(len(distinct)), most=MAX_CLASSES
            ),
            code="upload.too_many_classes",
        )
    return names


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Return a file of the archive, which must not be longer than its entry says."""
    if info.compress_type not in METHODS:
        raise InputError(
            _("The archive uses an unsupported compression method: create an ordinary zip file."),
            code="upload.compression_method",
        )
    try:
        with archive.open(info) as file:
            content = file.read(info.file_size + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError):
        raise _unreadable(info.filename) from None
    if len(content) > info.file_size:
        raise _too_large_unpacked()
    return content


# --- an image ----------------------------------------------------------------------------


def _resized(name: str, content: bytes) -> NDArray[np.uint8]:
    """Return the center crop of an image as uint8 [side, side, 3], on a white background."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # PIXELS is the limit
            image = Image.open(io.BytesIO(content), formats=FORMATS)
        large = image.width * image.height > PIXELS
    except Image.DecompressionBombError:
        large = True
    except Exception:  # noqa: BLE001  # image decoders raise many types of errors
        raise _unreadable(name) from None
    if large:
        raise InputError(
            _("The image {name} has more than {count} pixels: make it smaller.").format(
                name=quoted(name), count=formatting.count(PIXELS)
            ),
            code="upload.image_too_large",
        )
    try:
        image.draft("RGB", (2 * SIDE, 2 * SIDE))  # decodes a large JPEG at reduced size
        return np.asarray(ImageOps.fit(_opaque(ImageOps.exif_transpose(image)), (SIDE, SIDE)))
    except Exception:  # noqa: BLE001  # as above
        raise _unreadable(name) from None


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode in {"I", "I;16", "F"}:  # more than 8 bits: scale minimum to maximum
        values = np.asarray(image, np.float64)
        low, high = values.min(), values.max()
        image = Image.fromarray(((values - low) * 255 / ((high - low) or 1)).astype(np.uint8))
    if not image.has_transparency_data:
        return image.convert("RGB")
    transparent = image.convert("RGBA")
    white = Image.new("RGBA", transparent.size, "white")
    return Image.alpha_composite(white, transparent).convert("RGB")


def _gray_or_color(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return [n, side, side] if no image has color, else the images unchanged."""
    first = images[..., :1]
    return images[..., 0].copy() if bool((images == first).all()) else images


def _unreadable(name: str) -> InputError:
    return InputError(
        _("The image {name} cannot be read: leave it out, or save it again.").format(
            name=quoted(name)
        ),
        code="upload.unreadable_image",
    )


def _notes(outside: int) -> tuple[str, ...]:
    if not outside:
        return ()
    sentence = plural(
        "{count} image outside class folders is left out.",
        "{count} images outside class folders are left out.",
        outside,
    )
    return (sentence.format(count=formatting.count(outside)),)
