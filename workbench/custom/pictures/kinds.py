"""Kinds of files by their first bytes: pictures that are read, and what other files are."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import PurePosixPath

from PIL import Image

from workbench.i18n import _, mark

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "AVIF", "PPM", "JPEG2000")
"""Image formats that are opened; Pillow runs external programs for some others."""
HEAD_BYTES = 512
"""The number of first bytes of a file that its kind is detected from."""

PICTURE = "picture"

SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", PICTURE),
    (0, b"\xff\xd8\xff", PICTURE),
    (0, b"GIF8", PICTURE),
    (0, b"BM", PICTURE),
    (8, b"WEBP", PICTURE),
    (0, b"II*\0", PICTURE),
    (0, b"MM\0*", PICTURE),
    (0, b"II+\0", PICTURE),
    (0, b"MM\0+", PICTURE),
    (0, b"\xff\x4f\xff\x51", PICTURE),
    (4, b"jP  ", PICTURE),
    (4, b"ftypavi", PICTURE),
    (4, b"ftyphei", "HEIC"),
    (4, b"ftyphev", "HEIC"),
    (4, b"ftypmif1", "HEIC"),
    (4, b"ftypmsf1", "HEIC"),
    (4, b"ftyp", "video"),
    (0, b"\x1aE\xdf\xa3", "video"),
    (8, b"AVI ", "video"),
    (0, b"%PDF", "document"),
    (0, b"%!PS", "document"),
    (0, b"8BPS", "document"),
    (128, b"DICM", "DICOM"),
    (0, b"\0\0\1\0", "other format"),  # icons
    (0, b"DDS ", "other format"),
    (0, b"SIMPLE  =", "other format"),  # FITS
    (0, b"v/1\1", "other format"),  # OpenEXR
    (0, b"\xff\n", "other format"),  # JPEG XL
    (4, b"JXL ", "other format"),
    (0, b"\x93NUMPY", "array"),
    (0, b"\x89HDF", "array"),
    (0, b"PK\x03\x04", "archive"),
    (0, b"Rar!", "archive"),
    (0, b"7z\xbc\xaf", "archive"),
    (0, b"\x1f\x8b", "archive"),
)
"""Offset, bytes and kind; the first that matches counts."""

RAW_SUFFIXES = frozenset(
    {".arw", ".cr2", ".cr3", ".dng", ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".srw"}
)
PICTURE_SUFFIXES = frozenset(
    {".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm"}
    | {".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"}
)
"""Files with these endings whose content is not a picture count as broken."""
OTHER_SUFFIXES = frozenset(
    {".dds", ".dpx", ".exr", ".fit", ".fits", ".hdr", ".icns", ".ico", ".jxl", ".pcx", ".ras"}
    | {".sgi", ".tga", ".wmf", ".emf", ".xcf"}
)
"""Pictures of formats that are not read, most of which do not begin with a signature."""

SYSTEM_FOLDERS = frozenset(
    {"__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found"}
)
SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini", "icon\r"})
"""In lower case."""

REASONS = {
    "broken": mark("These pictures are damaged or are not pictures: save them again."),
    "too large": mark("These pictures have too many pixels or bytes: make them smaller."),
    "HEIC": mark("HEIC pictures are not read here: export them as JPEG, or install pillow-heif."),
    "raw": mark("Raw photographs are not read: export them as JPEG."),
    "video": mark("Videos are not read: save their frames as pictures."),
    "document": mark("Documents and drawings are not read: export them as PNG."),
    "DICOM": mark("DICOM files are not read: export them as PNG or TIFF."),
    "other format": mark("Pictures of this format are not read: save them as PNG."),
    "array": mark("Arrays are not read: save them as pictures, or use wb.from_module."),
    "archive": mark("Archives inside are not opened: unpack them first."),
    "text": mark("Texts and tables next to pictures are not used."),
    "other": mark("These files are not pictures."),
    "hidden": mark("Files of the operating system are not used."),
    "unlabeled": mark("These pictures are in no class folder."),
    "mask": mark("These are masks of other pictures, not examples of a class."),
    "copy": mark("These files have the same content as another one of their class."),
    "chosen": mark("You left these classes out."),
    "rare": mark("These classes have too few pictures."),
}
"""Why files of a kind are not used."""


def reason(kind: str) -> str:
    """Return why files of a kind are not used, in the user's language."""
    return _(REASONS[kind])


@cache
def readable_formats() -> tuple[str, ...]:
    """Return the formats that the installed Pillow reads; HEIF with the package pillow-heif."""
    Image.init()
    if find_spec("pillow_heif") is not None:
        register: Callable[[], None] = import_module("pillow_heif").register_heif_opener
        register()
    return tuple(name for name in (*FORMATS, "HEIF") if name in Image.OPEN)


def kind_of(path: PurePosixPath, head: bytes) -> str:
    """Return the kind of a file: `PICTURE`, or a key of `REASONS`.

    Parameters
    ----------
    path
        Its path; the content counts more than the ending.
    head
        Its first `HEAD_BYTES` bytes, or all of it.
    """
    suffix = path.suffix.lower()
    if is_hidden(path):
        return "hidden"
    if suffix in RAW_SUFFIXES:
        return "raw"
    kind = next((k for at, start, k in SIGNATURES if head[at : at + len(start)] == start), None)
    if kind is None and _is_netpbm(head):
        kind = PICTURE
    if kind == "HEIC" and "HEIF" in readable_formats():
        kind = PICTURE
    if kind is not None:
        return kind
    if suffix in PICTURE_SUFFIXES:
        return "broken"
    if suffix in OTHER_SUFFIXES:
        return "other format"
    return "document" if b"<svg" in head else "text" if _is_text(head) else "other"


def is_hidden(path: PurePosixPath) -> bool:
    """Whether a file was written by an operating system, such as ``.DS_Store``."""
    return (
        any(name.startswith(".") or name in SYSTEM_FOLDERS for name in path.parts)
        or path.name.lower() in SYSTEM_FILES
    )


def _is_netpbm(head: bytes) -> bool:
    return head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace()


def _is_text(head: bytes) -> bool:
    return b"\0" not in head and bool(head)
