"""The text in the bytes of a table, and its encoding."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import unicodedata
import zlib
from typing import NamedTuple

from workbench import formatting
from workbench.custom.tables.clean import clean
from workbench.custom.tables.encodings import codec_of, label_of
from workbench.custom.tables.guess_encoding import Guess, guesses, words_beyond_ascii
from workbench.custom.uploads.limits import TABLE_BYTES
from workbench.custom.uploads.splits import quoted
from workbench.errors import InputError
from workbench.i18n import _, mark as N_

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
"""Marks at the start of a file, with the codec and its name; longer marks first."""
ESCAPED = ("iso2022_jp", "iso2022_jp_ext", "iso2022_kr")
"""Encodings that switch between alphabets with escape sequences."""
SAMPLE_BYTES = 2**16
_LINE_END = re.compile("\r\n|\r|\n")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b]")
_BEYOND_ASCII = re.compile("[^\x00-\x7f]")
MANY_DAMAGED = 20
"""With more in the sample, it shows alone that a text is not in UTF-8."""
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


MIN_LEAD = 5.0
"""An encoding is named as possible if it is less likely by at most this logarithm."""


class Decoded(NamedTuple):
    """The text of a table, the name of its encoding, and sentences about it."""

    text: str
    encoding: str
    notes: tuple[str, ...] = ()


def decode(data: bytes, encoding: str | None = None) -> Decoded:
    """Return the text of a table.

    A byte order mark decides; else the bytes are tried as ISO-2022, UTF-8 and UTF-16. Other text
    is in the encoding in which its letters are likeliest.

    Parameters
    ----------
    data
        The bytes of the file, also compressed by gzip.
    encoding
        The name of the encoding; by default it is found.

    Raises
    ------
    InputError
        If it is a file of another kind, no text, too large, or not in the encoding.
    """
    data = _unpacked(data)
    _check_kind(data)
    if encoding is not None:
        codec = codec_of(encoding)
        return Decoded(_checked(_chosen(data, codec)), label_of(codec))
    return _marked(data) or _utf8(data) or _guessed(data)


def _marked(data: bytes) -> Decoded | None:
    """Return text whose bytes show that it is in Unicode or ISO-2022, or None."""
    for mark, codec, name in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return Decoded(_checked(_try(data, codec)), name)
    for codec in ESCAPED if b"\x1b$" in data else ():
        if (text := _try(data, codec)) is not None:
            return Decoded(_checked(text), label_of(codec))
    wide = _utf16_without_mark(data)
    return None if wide is None else Decoded(_checked(_try(data, wide)), "UTF-16")


def _utf8(data: bytes) -> Decoded | None:
    """Return text in UTF-8, also with a few damaged letters, or None."""
    text = _try(data, "utf-8")
    if text is not None:
        return Decoded(_checked(text), "UTF-8")
    if not _is_nearly_utf8(data[:SAMPLE_BYTES], MANY_DAMAGED) or not _is_nearly_utf8(data):
        return None
    text = data.decode("utf-8", errors="replace")
    name = _("UTF-8 with errors")
    return Decoded(_checked(text), name, (_read_as(name),))


def _is_nearly_utf8(data: bytes, allowed: int = 0) -> bool:
    """Whether few letters beyond ASCII are damaged in UTF-8, or at most so many."""
    text = data.decode("utf-8", errors="replace")
    damaged = text.count("\ufffd")
    return damaged <= allowed or damaged * MIN_INTACT < len(_BEYOND_ASCII.findall(text)) - damaged


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
        return _composed(data, codec)
    except UnicodeDecodeError:
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


def _guessed(data: bytes) -> Decoded:
    """Return text that is not in Unicode, in the likeliest encoding that all of it has."""
    likely = guesses(data)
    for guess in likely:
        text = _try(data, guess.codec)
        if text is not None:
            return Decoded(_checked(text), label_of(guess.codec), (_about(data, guess, likely),))
    codec = likely[0].codec
    name = _("{encoding} with errors").format(encoding=label_of(codec))
    return Decoded(_checked(_composed(data, codec, "replace")), name, (_read_as(name),))


def _about(data: bytes, guess: Guess, likely: list[Guess]) -> str:
    """Return a sentence that names the encoding, and another one if the bytes fit it as well."""
    for other in likely:
        if other == guess or guess.likelihood - other.likelihood > MIN_LEAD:
            continue
        for word in words_beyond_ascii(data):
            texts = [_composed(word, codec, "replace") for codec in (guess.codec, other.codec)]
            if texts[0] != texts[1]:
                return _(
                    "The file does not say its encoding, and its bytes fit several: it is read as "
                    "{encoding}, as in {word}; in {other} that is {other_word}. If letters look "
                    "wrong, choose the encoding."
                ).format(
                    encoding=label_of(guess.codec),
                    word=quoted(texts[0]),
                    other=label_of(other.codec),
                    other_word=quoted(texts[1]),
                )
    return _read_as(label_of(guess.codec))


def _read_as(name: str) -> str:
    return _("The text is read as {encoding}: if letters look wrong, choose the encoding.").format(
        encoding=name
    )


def _chosen(data: bytes, codec: str) -> str:
    """Return the text in the encoding that a user chose."""
    try:
        return _composed(data, codec)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(codec, errors="replace")
        raise InputError(
            _(
                "The file is not in {encoding}: line {line} has the byte {byte} at offset "
                "{offset}, which is not a letter there. Choose another encoding."
            ).format(
                encoding=label_of(codec),
                line=formatting.count(1 + len(_LINE_END.findall(before))),
                byte=f"0x{data[error.start]:02X}",
                offset=formatting.count(error.start),
            ),
            code="table.wrong_encoding",
        ) from None


def _composed(data: bytes, codec: str, errors: str = "strict") -> str:
    """Return text with each accented letter as one character, as other encodings have it."""
    text = data.decode(codec, errors)
    return unicodedata.normalize("NFC", text) if codec == "cp1258" else text
