"""The encodings that a user may choose, and their names."""

from __future__ import annotations

import codecs

from workbench.errors import InputError
from workbench.i18n import _

NAMES = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Windows-1252",
    "cp1250": "Windows-1250",
    "cp1251": "Windows-1251",
    "cp1253": "Windows-1253",
    "cp1254": "Windows-1254",
    "cp1255": "Windows-1255",
    "cp1256": "Windows-1256",
    "cp1257": "Windows-1257",
    "cp1258": "Windows-1258",
    "cp874": "Windows-874",
    "iso8859-1": "ISO-8859-1",
    "iso8859-2": "ISO-8859-2",
    "iso8859-5": "ISO-8859-5",
    "iso8859-6": "ISO-8859-6",
    "iso8859-7": "ISO-8859-7",
    "iso8859-8": "ISO-8859-8",
    "iso8859-9": "ISO-8859-9",
    "iso8859-13": "ISO-8859-13",
    "iso8859-15": "ISO-8859-15",
    "koi8-r": "KOI8-R",
    "koi8-u": "KOI8-U",
    "mac-roman": "Mac Roman",
    "mac-latin2": "Mac Latin 2",
    "mac-cyrillic": "Mac Cyrillic",
    "mac-greek": "Mac Greek",
    "mac-turkish": "Mac Turkish",
    "cp437": "DOS 437",
    "cp737": "DOS 737",
    "cp775": "DOS 775",
    "cp850": "DOS 850",
    "cp852": "DOS 852",
    "cp857": "DOS 857",
    "cp862": "DOS 862",
    "cp866": "DOS 866",
    "gb18030": "GB18030",
    "big5": "Big5",
    "cp932": "Shift-JIS",
    "euc_jp": "EUC-JP",
    "iso2022_jp": "ISO-2022-JP",
    "cp949": "Korean (CP949)",
    "iso2022_kr": "ISO-2022-KR",
}
"""Codecs of Python, as `codecs.lookup` calls them, and the names that the app shows."""
ALIASES = {"shift_jis": "cp932", "gb2312": "gb18030", "gbk": "gb18030", "euc_kr": "cp949"}
"""Codecs that another one contains."""
SPECIAL = ("idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined")
"""Codecs of Python that are no encodings of files."""
_LABELS = {label.lower(): codec for codec, label in NAMES.items()}


def codec_of(name: str) -> str:
    """Return the codec of an encoding that a user names.

    Parameters
    ----------
    name
        A name of `NAMES`, or any other that Python knows, such as "windows-1252" or "latin1".

    Raises
    ------
    InputError
        If there is no such encoding.
    """
    try:
        info = codecs.lookup(_LABELS.get(name.lower(), name))
        is_text = getattr(info, "_is_text_encoding", True)
    except (LookupError, ValueError):  # null characters
        is_text = False
    if not is_text or info.name in SPECIAL:
        raise InputError(
            _(
                "There is no encoding “{name}”: use utf-8, utf-16, cp1252, mac-roman, cp850, "
                "shift_jis or another one that Python knows."
            ).format(name=name[:40]),
            code="table.unknown_encoding",
        )
    return ALIASES.get(info.name, info.name)


def label_of(codec: str) -> str:
    """Return the name of a codec as the app shows it."""
    name = codecs.lookup(codec).name
    return NAMES.get(name, name.upper().replace("_", "-"))
