"""Text of central Europe and Turkey in single bytes, where Windows-1252 has wrong letters."""

from __future__ import annotations

import re

SAMPLE_BYTES = 2**20
MIN_SHARE = 0.02
"""The share of bytes beyond ASCII that show the encoding."""

_LOWER = rb"[a-z\xe0-\xff]"
_SYMBOLS = re.compile(
    # Small letters such as ł, ą, ş, ż, š and ť, between others or, for some, at the end of a word
    rb"(?<=" + _LOWER + rb")[\x9d\xb1\xb3\xb5\xb6\xb9\xba\xbc\xbe\xbf](?=" + _LOWER + rb")"
    rb"|(?<=" + _LOWER + _LOWER + rb")[\x9d\x9f\xbc]"
    # Ť and Ź at the start of a word
    rb"|(?<![A-Za-z0-9\x80-\xff])[\x8d\x8f](?=" + _LOWER + _LOWER + rb")"
)
_ONLY_WINDOWS = re.compile(rb"[\x8a\x8c-\x8f\x9a\x9c-\x9f]")
_ONLY_ISO = re.compile(
    rb"(?<=" + _LOWER + rb")[\xb1\xb5\xb6\xbc](?=" + _LOWER + rb")"
    rb"|(?<=" + _LOWER + _LOWER + rb")[\xb6\xbc](?![A-Za-z0-9\x80-\xff])"  # ś and ź at an end
)
_TURKISH = re.compile(rb"[\xd0\xdd\xde\xf0\xfd\xfe]")
"""Ğ, İ, Ş, ğ, ı and ş; in Windows-1252 these are Ð, Ý, Þ, ð, ý and þ."""
_NOT_TURKISH = re.compile(rb"[\xc1\xc6\xc9\xcd\xd3\xda\xe1\xe6\xe9\xed\xf3\xfa]")
"""Á, æ, é, í, ó and ú: Icelandic and Faroese have them, too."""
_WORDS = re.compile(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*")
_CARONS = re.compile(rb"[\x8a\x8e\x9a\x9e]")
_WITH_CARONS = re.compile(rb"[\xc8\xe8\xd8\xf8\xcc\xec\xd9\xf9\xd2\xf2\xc6\xe6\xf0]")
"""Č, ř, ě, ů, ň, ć and đ; in Windows-1252 these are è, ø, ì, ù, ò, æ and ð."""
_WESTERN = re.compile(rb"[\xc0\xe0\xc3\xe3\xc5\xe5\xca\xea\xd1\xf1]")
"""À, ã, å, ê and ñ: their languages have no š and ž."""


def codec_of(data: bytes) -> str | None:
    """Return the codec of central European or Turkish text, or None.

    Its words have as many letters of ASCII as others; those of other alphabets have few.
    """
    sample = data[:SAMPLE_BYTES]
    words = b"".join(_WORDS.findall(sample))
    beyond = len(re.findall(rb"[\x80-\xff]", words))
    if 2 * beyond > len(words):
        return None
    symbols = len(_SYMBOLS.findall(sample))
    if symbols and symbols >= MIN_SHARE * beyond:
        is_iso = _ONLY_ISO.search(sample) and not _ONLY_WINDOWS.search(sample)
        return "iso8859_2" if is_iso else "cp1250"
    if _WESTERN.search(sample):
        return None
    if _TURKISH.search(sample) and not _NOT_TURKISH.search(sample):
        return "cp1254"
    carons, with_carons = (len(p.findall(sample)) for p in (_CARONS, _WITH_CARONS))
    is_slavic = min(carons, with_carons) > MIN_SHARE * beyond
    is_hungarian = b"\xf5" in sample and b"\xfb" in sample
    return "cp1250" if is_slavic or is_hungarian else None
