"""The encoding of text that is neither UTF-8 nor mostly Latin letters."""

from __future__ import annotations

import re

SINGLE_BYTE = ("cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp874")
"""Cyrillic, Greek, Hebrew, Arabic and Thai; charset-normalizer distinguishes them."""
SAMPLE_BYTES = 2**18
MIN_PAIRED = 0.98
"""The share of runs of bytes beyond ASCII with even length, where each letter has two of them."""
MIN_KANA = 0.2
MIN_SYLLABLES = 8
"""Different Korean syllables; fewer may be Chinese characters by chance."""

_RUSSIAN = "оеаинтсрвлкмдпуяыьгзбч"
FREQUENT = {
    **dict.fromkeys(("cp1251", "koi8_r", "cp866"), _RUSSIAN),
    "cp1253": "αοιετσνηυρπκμλςάίόέήώ",
    "cp1255": "יוהלאמרתשבנדעכ",
    "cp1256": "اليمونرتبةعدفقس",
}
"""Frequent small letters of Russian, Greek, Hebrew and Arabic."""
MIN_FREQUENT = 0.7
MIN_LEAD = 0.05
"""How much more of the letters are frequent in the best encoding than in the next."""
SURE = (0.85, 0.2)
"""The same where the bytes could also be pairs, with this many different letters:"""
MIN_LETTERS = 6

_BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")


def encoding_of(data: bytes) -> str | None:
    """Return the codec of text in an alphabet other than the Latin one, or None.

    Letters of two bytes are recognized by what they become in each encoding, because
    charset-normalizer needs more text than a table of a few words has.
    """
    sample = data[:SAMPLE_BYTES]
    runs = _BEYOND_ASCII.findall(sample)
    paired = sum(len(run) % 2 == 0 for run in runs) >= MIN_PAIRED * len(runs)
    beyond = b"".join(runs)
    if paired and len({*beyond}) >= MIN_LETTERS and (codec := _frequent_codec(beyond, *SURE)):
        return codec
    candidates = _paired(beyond) if paired else ("big5", "cp932", "gb18030")
    for codec in candidates:
        if _is_valid(data, codec):
            return codec
    return _single_byte(sample)


def _paired(runs: bytes) -> tuple[str, ...]:
    """Return the likely encodings of letters whose two bytes are both beyond ASCII."""
    leads = runs[::2]
    if sum(lead in {0xA4, 0xA5} for lead in leads) > MIN_KANA * len(leads):
        return ("euc_jp", "gb18030")
    letters = {*runs.decode("cp949", errors="replace")}
    syllables = sum("가" <= letter <= "힣" for letter in letters)
    if syllables == len(letters) and syllables >= MIN_SYLLABLES:
        return ("cp949", "gb18030")
    return ("gb18030", "cp949", "big5")


def _is_valid(data: bytes, codec: str) -> bool:
    """Whether data are text in an encoding, without half-width letters, which tables rarely have.

    A letter that is cut off at the end is allowed.
    """
    try:
        text = data.decode(codec)
    except UnicodeDecodeError:
        return False
    beyond = [letter for letter in text if letter > "\x7f"]
    narrow = sum("\uff61" <= letter <= "\uff9f" for letter in beyond)
    private = sum("\ue000" <= letter <= "\uf8ff" for letter in beyond)
    return narrow + private < 0.1 * len(beyond)


def _single_byte(sample: bytes) -> str | None:
    """Return the codec in which most letters are frequent ones of its language, or None.

    charset-normalizer decides where that leaves a doubt, which needs more text.
    """
    from charset_normalizer import from_bytes

    beyond = b"".join(_BEYOND_ASCII.findall(sample))
    if codec := _frequent_codec(beyond, MIN_FREQUENT, MIN_LEAD):
        return codec
    likely = from_bytes(sample, cp_isolation=[*SINGLE_BYTE]).best()
    return likely.encoding if likely is not None else None


def _frequent_codec(beyond: bytes, least: float, lead: float) -> str | None:
    """Return the codec in which this share of letters is frequent, more than in any other."""
    shares = {codec: _frequent(beyond, codec) for codec in FREQUENT}
    best, second = sorted(shares, key=shares.__getitem__, reverse=True)[:2]
    return best if shares[best] >= max(least, shares[second] + lead) else None


def _frequent(beyond: bytes, codec: str) -> float:
    """Return the share of letters that are frequent in the language of a codec."""
    text = beyond.decode(codec, errors="replace")
    return sum(map(text.count, FREQUENT[codec])) / max(1, len(text))
