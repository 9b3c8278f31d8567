"""The likely encodings of text that is not in Unicode, by the letters that it would have."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from math import log

from workbench.custom.tables.alphabets import PRIORS, UNKNOWN, WRITTEN_IN, model

MAX_BYTES = 3000
"""Different words that are looked at, in bytes."""
FIRST_BYTES = 300
"""Words that exclude most encodings."""
MAX_LENGTH = 200
"""Bytes of a word; text without spaces is cut here."""
MAX_LEAD = 40.0
"""Encodings that are less likely by this are not considered."""
MAX_WORDS = 50_000
"""Words that are looked at, equal ones counted again."""
_RUN = re.compile(rb"[\x80-\xff][0-9@-\xff]*")
"""From the first byte beyond ASCII to the end of a word."""
_WORD_BYTES = frozenset((*range(0x30, 0x3A), *range(0x40, 0x100)))
"""The others are no part of a letter of two bytes, so they separate words."""

_ODD, _UNUSUAL = log(3e-3), log(3e-2)
_CAPITAL, _FIRST = log(0.5), log(0.4)
_SYMBOL, _DRAWING, _CONTROL = log(1e-4), log(1e-5), log(1e-6)
_SECOND = log(15)
"""What a second byte in ASCII saves: as a letter of its own it would have a likelihood, too."""
_JOINERS = "’·\xad‘`´"
_UNLIKE_LETTERS = frozenset("0123456789@[\\]^_`{|}~")
"""Possible second bytes, which are unusual behind a letter of a single byte."""
_FINAL = frozenset("ךםןףץς")
"""Letters at the end of a word only."""
_LETTERS = {"upper", "lower", "letter", "mark"}


@dataclass(frozen=True)
class Guess:
    """An encoding, with the logarithm of its likelihood."""

    codec: str
    likelihood: float


def guesses(data: bytes) -> list[Guess]:
    """Return the likely encodings of a text, the likeliest first.

    The likelihood is that of the letters beyond ASCII in the words of the text: their frequency in
    the languages of an encoding, and whether they fit the letters next to them.
    """
    words = words_beyond_ascii(data)
    first = _up_to(words, FIRST_BYTES)
    result = _likely([_guess(codec, first) for codec in WRITTEN_IN])
    if len(first) < len(words):
        result = _likely([_guess(guess.codec, words) for guess in result])
    return result


def words_beyond_ascii(data: bytes) -> list[bytes]:
    """Return the first different words with bytes beyond ASCII."""
    result: dict[bytes, None] = {}
    size = 0
    for match in islice(_RUN.finditer(data), MAX_WORDS):
        start = match.start()
        first = max(0, start - MAX_LENGTH)
        while start > first and data[start - 1] in _WORD_BYTES:
            start -= 1
        word = data[start : min(match.end(), match.start() + MAX_LENGTH)]
        if word not in result:
            result[word] = None
            size += len(word)
            if size > MAX_BYTES:
                break
    return [*result]


def _up_to(items: Sequence[bytes], size: int) -> list[bytes]:
    result = []
    for word in items:
        result.append(word)
        size -= len(word)
        if size < 0:
            break
    return result


def _likely(items: Iterable[Guess]) -> list[Guess]:
    """Return guesses in order of likelihood, without the unlikely ones."""
    ordered = sorted(items, key=lambda guess: -guess.likelihood)
    return [g for g in ordered if g.likelihood >= ordered[0].likelihood - MAX_LEAD]


def _guess(codec: str, items: Iterable[bytes]) -> Guess:
    counts: Counter[str] = Counter()
    likelihood = PRIORS.get(codec, -1.0)
    for word in items:
        text = word.decode(codec, errors="replace")
        if len(word) >= MAX_LENGTH:
            text = text.rstrip("\ufffd")  # a letter that is cut off
        eaten = sum(byte < 0x80 for byte in word) - sum(letter < "\x80" for letter in text)
        likelihood += eaten * _SECOND
        for index, letter in enumerate(text):
            if letter >= "\x80":
                counts[letter.lower() if len(letter.lower()) == 1 else letter] += 1
                likelihood += _fit(text, index, letter)
    best = max(_likelihood(counts, language) for language in WRITTEN_IN[codec].split())
    return Guess(codec, likelihood + best)


def _likelihood(counts: Counter[str], language: str) -> float:
    letters = model(language)
    return sum(
        count * letters.get(letter, UNKNOWN if _kind(letter) in _LETTERS else _SYMBOL)
        for letter, count in counts.items()
    )


def _fit(text: str, index: int, letter: str) -> float:
    """Return the logarithm of how well a letter fits the letters next to it."""
    before = text[index - 1] if index else " "
    after = text[index + 1] if index + 1 < len(text) else " "
    kind, previous, following = _kind(letter), _kind(before), _kind(after)
    if kind in _COSTS:
        return _COSTS[kind]
    if kind == "symbol":
        is_inside = previous in _LETTERS and following in _LETTERS and letter not in _JOINERS
        is_second = previous == "symbol" and before >= "\x80"
        return _UNUSUAL * (is_inside + is_second)
    cost = _mixed(letter, before, after)
    if after in _UNLIKE_LETTERS or before.isdigit():
        cost += _UNUSUAL
    if letter in _FINAL and following in _LETTERS:
        cost += _ODD
    if kind == "upper":
        return cost + _fit_upper(previous, following)
    if kind == "lower":
        capitals = previous == "upper" and index > 1 and _kind(text[index - 2]) == "upper"
        return cost + _fit_lower(previous, following, capitals=capitals)
    return cost + (_ODD if kind == "mark" and previous not in _LETTERS else 0.0)


def _fit_upper(previous: str, following: str) -> float:
    if previous == "lower":
        return _ODD
    return _UNUSUAL if previous == "upper" and following == "lower" else _CAPITAL


def _fit_lower(previous: str, following: str, *, capitals: bool) -> float:
    cost = _ODD if following == "upper" else 0.0
    if previous not in _LETTERS:
        return cost + _FIRST
    return cost + (_ODD if capitals else 0.0)


_COSTS = {"control": _CONTROL, "drawing": _DRAWING}


def _mixed(letter: str, before: str, after: str) -> float:
    """Return the cost of letters of two alphabets side by side."""
    alphabet = _alphabet(letter)
    others = (_alphabet(other) for other in (before, after) if _kind(other) in _LETTERS)
    return sum(_ODD for other in others if other != alphabet)


@cache
def _alphabet(letter: str) -> str:
    """Return the name of a letter's alphabet; ideographs may stand next to Latin letters."""
    name = unicodedata.name(letter, "").partition(" ")[0]
    return name if name in _OWN_WORDS else "LATIN"


_OWN_WORDS = {"CYRILLIC", "GREEK", "HEBREW", "ARABIC", "THAI"}


@cache
def _kind(letter: str) -> str:
    category = unicodedata.category(letter)
    if letter == "\ufffd" or category in {"Cc", "Co", "Cn"}:
        return "control"
    if "\u2500" <= letter < "\u25a0":
        return "drawing"
    if letter in "ªº":
        return "symbol"
    if category in {"Lu", "Ll"}:
        return "upper" if category == "Lu" else "lower"
    if category[0] == "L" or "\u0e30" <= letter < "\u0e50":  # Thai vowels
        return "letter"
    return "mark" if category[0] == "M" else "symbol"
