"""The text in the bytes of a table, and its encoding."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator

from workbench import formatting
from workbench.custom.tables import central_european
from workbench.custom.tables.alphabets import encoding_of
from workbench.custom.tables.clean import clean
from workbench.custom.uploads.limits import TABLE_BYTES
from workbench.errors import InputError
from workbench.i18n import _
from workbench.i18n import mark as N_

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
"""Marks at the start of a file, with the codec and its name; longer marks first."""
SAMPLE_BYTES = 2**16
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b]")
MIN_INTACT = 5
"""Letters beyond ASCII for each damaged one in UTF-8 with errors."""
MIN_NULLS = 0.25
"""Every second byte of Latin text in UTF-16 is zero."""
SAVE_AS = N_("In Excel: File, Save As, “CSV UTF-8”.")
FOREIGN = (
    (b"PK\x03\x04", N_("This is an Excel workbook or another archive, not a text table.")),
    (b"\xd0\xcf\x11\xe0", N_("This is an old Excel workbook, not a text table.")),
    (b"%PDF", N_("This is a PDF document, not a text table.")),
    (b"PAR1", N_("This is a Parquet file, not a text table: save it as CSV.")),
    (b"SQLite format 3", N_("This is a database, not a text table: export a table as CSV.")),
    (b"ARROW1", N_("This is an Arrow file, not a text table: save it as CSV.")),
    (b"\x89HDF", N_("This is an HDF5 file, not a text table: save it as CSV.")),
    (b"\x93NUMPY", N_("This is a NumPy array, not a text table: save it as CSV.")),
)
"""How files of other kinds begin, and what they are."""


def decode(data: bytes) -> tuple[str, str]:
    """Return the text of a table and the name of its encoding.

    A byte order mark decides; else the bytes are tried as UTF-8 and UTF-16. Text with single
    letters beyond ASCII is Windows-1252, or in an encoding of central Europe; other text is in the
    encoding of another alphabet.

    Raises
    ------
    InputError
        When it is a file of another kind, no text, or too large.
    """
    data = _unpacked(data)
    _check_kind(data)
    for mark, codec, name in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _checked(_try(data, codec)), name
    wide = _utf16_without_mark(data)
    if wide is not None:
        return _checked(_try(data, wide)), "UTF-16"
    text = _try(data, "utf-8")
    if text is not None:
        return _checked(text), "UTF-8"
    text = data.decode("utf-8", errors="replace")
    damaged = text.count("\ufffd")
    if damaged * MIN_INTACT < len(re.findall("[^\\x00-\\x7f]", text)) - damaged:
        return _checked(text), _("UTF-8 with errors")
    return _single_bytes(data)


def _unpacked(data: bytes) -> bytes:
    """Return the content of a gzip file, at most `TABLE_BYTES` of it, or other data unchanged."""
    if data.startswith(b"\x1f\x8b"):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
                data = file.read(TABLE_BYTES + 1)
        except (OSError, EOFError, zlib.error):
            raise InputError(
                _("The .gz file is damaged: compress the table again, or upload it as it is."),
                code="upload.not_text",
            ) from None
    if len(data) > TABLE_BYTES:
        raise InputError(
            _("The table is larger than {size}: keep fewer rows or columns.").format(
                size=formatting.size(TABLE_BYTES)
            ),
            code="upload.too_large",
        )
    return data


def _check_kind(data: bytes) -> None:
    for start, sentence in FOREIGN:
        if data.startswith(start):
            excel = start in {b"PK\x03\x04", b"\xd0\xcf\x11\xe0"}
            message = f"{_(sentence)} {_(SAVE_AS)}" if excel else _(sentence)
            raise InputError(message, code="upload.not_a_table")
    begin = data[:200].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if begin.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise InputError(
            _("This is a web page, not a table: download the table itself, or save it as CSV."),
            code="upload.not_a_table",
        )
    if begin.startswith((b"insert into", b"create table", b"drop table", b"begin transaction")):
        raise InputError(
            _("This is a program in SQL, not a table: export the table as CSV."),
            code="upload.not_a_table",
        )
    if begin.startswith((b"{", b"[{", b"[\n")):
        raise InputError(_("This is JSON, not a table: save it as CSV."), code="upload.not_a_table")


def _try(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except (UnicodeDecodeError, LookupError):
        return None


def _checked(text: str | None) -> str:
    text = None if text is None else clean(text)
    if text is None or _has_controls(text):
        raise InputError(
            _("This is not a table of text: save it as CSV, with the encoding UTF-8."),
            code="upload.not_text",
        )
    return text


def _has_controls(text: str) -> bool:
    """Whether the start of a text has many control characters, as the bytes of a program do."""
    start = text[:SAMPLE_BYTES]
    return 1000 * len(_CONTROLS.findall(start)) > len(start)


def _utf16_without_mark(data: bytes) -> str | None:
    """Return the codec of UTF-16 text whose every second byte is often zero, or None."""
    sample = data[:SAMPLE_BYTES]
    for codec, zeros, others in (
        ("utf-16-le", sample[1::2], sample[::2]),
        ("utf-16-be", sample[::2], sample[1::2]),
    ):
        if zeros.count(0) > MIN_NULLS * len(zeros) and not others.count(0):
            return codec
    return None


def _is_latin(data: bytes) -> bool:
    """Whether most bytes beyond ASCII stand alone, as accented letters do between others."""
    runs = re.findall(rb"[\x80-\xff]+", data)
    alone = sum(len(run) == 1 for run in runs)
    return 2 * alone >= sum(map(len, runs))


def _single_bytes(data: bytes) -> tuple[str, str]:
    """Return text that is neither UTF-8 nor UTF-16, in the first likely encoding that has it."""
    for codec in _candidates(data):
        decoded = None if codec is None else _try(data, codec)
        if codec is not None and decoded is not None:
            return _checked(decoded), _name(codec)
    return _checked(data.decode("cp1252", errors="replace")), _("Windows-1252 with errors")


def _candidates(data: bytes) -> Iterator[str | None]:
    yield central_european.codec_of(data)
    yield "cp1252" if _is_latin(data) else None
    yield encoding_of(data)
    yield "cp1252"


def _name(codec: str) -> str:
    name = codec.upper().replace("_", "-").replace("CP12", "Windows-12")
    return name.replace("ISO8859", "ISO-8859")
