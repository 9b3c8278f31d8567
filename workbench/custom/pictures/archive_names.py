"""The names in a zip archive, which older programs write in the encoding of their system."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence

from workbench.custom.tables.guess_encoding import guesses

UTF8_FLAG = 0x800
"""Set where the name of an entry is UTF-8; otherwise zipfile reads it as cp437."""
SYSTEMS = frozenset({"gb18030", "big5", "cp932", "cp949", "cp866", "cp1251"})
"""Encodings in which programs write names, other than cp437."""
MIN_RUN = 1.5
"""The minimum average length of runs of letters that are not Latin."""

_BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")
_FRAMES = re.compile(rb"[\xb0-\xdf]")
"""Parts of frames in cp437, which no name contains."""
_CYRILLIC = re.compile("[Ѐ-ӿ]+")


def names_in(entries: Sequence[zipfile.ZipInfo]) -> list[str]:
    """Return the path of each entry.

    Names that do not say that they are UTF-8 are read as UTF-8 if all of them can be. Else they
    are in the encoding of Chinese, Japanese, Korean or Russian Windows, or in cp437.
    """
    unmarked = [_raw(entry) for entry in entries]
    codec = _codec(b"\n".join(dict.fromkeys(name for name in unmarked if name)))
    return [
        raw.decode(codec, errors="replace") if raw else entry.filename
        for raw, entry in zip(unmarked, entries, strict=True)
    ]


def _raw(entry: zipfile.ZipInfo) -> bytes:
    """Return the bytes of a name in an unknown encoding; none if it is known."""
    if entry.flag_bits & UTF8_FLAG or entry.filename.isascii():
        return b""
    try:
        return entry.filename.encode("cp437")
    except UnicodeError:
        return b""


def _codec(names: bytes) -> str:
    try:
        names.decode()
    except UnicodeDecodeError:
        runs = _BEYOND_ASCII.findall(names)
        if sum(map(len, runs)) < MIN_RUN * len(runs):
            return "cp437"
        text = b"".join(runs)
        if _CYRILLIC.fullmatch(text.decode("cp866")):
            return "cp866"
        likely = [guess.codec for guess in guesses(names) if guess.codec in SYSTEMS]
        return likely[0] if likely and _FRAMES.search(text) else "cp437"
    return "utf-8"
