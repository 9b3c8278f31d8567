"""From a review to word ids, and from word ids to a sentence that a person can read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from workbench.zoo.reviews import VOCABULARY

PADDING, UNKNOWN = 0, 1
SPECIAL = ("[padding]", "[unknown]")
SIZE = 8_000
"""Entries of the vocabulary, of the 9,000 different words that the training split has."""
LENGTH = 128
"""Words of a stored review. One review in a hundred is longer, by 13 words at most, and is cut."""

WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+|[^\w\s]|_")
"""A word with its apostrophe, a number, or one sign: everything but white space."""


def tokenize(text: str) -> list[str]:
    """Cut a text into lower-case words, numbers and single punctuation marks."""
    return WORD.findall(text.lower())


def detokenize(chosen: Iterable[str]) -> str:
    """Join words to a line that reads like text and that `tokenize` cuts into the same words."""
    line = " ".join(chosen)
    return re.sub(r"(?<=\() | (?=[.,!?;:)])", "", line)


def build_vocabulary(texts: Iterable[str], size: int) -> list[str]:
    """Return the vocabulary of `size` entries: the special ones, then the most frequent words.

    Of equally frequent words, the alphabet decides.
    """
    counts = Counter(word for text in texts for word in tokenize(text))
    frequent = sorted(counts, key=lambda word: (-counts[word], word))
    return [*SPECIAL, *frequent[: size - len(SPECIAL)]]


def encode(texts: Sequence[str], vocabulary: Sequence[str]) -> NDArray[np.uint16]:
    """Return the ids of the first words of each text, uint16 [n, LENGTH], padded at the end."""
    ids = {word: place for place, word in enumerate(vocabulary)}
    encoded = np.full((len(texts), LENGTH), PADDING, np.uint16)
    for row, text in zip(encoded, texts, strict=True):
        found = [ids.get(word, UNKNOWN) for word in tokenize(text)[:LENGTH]]
        row[: len(found)] = found
    return encoded


@cache
def vocabulary() -> tuple[str, ...]:
    """Return the vocabulary of the built-in models; the id of a word is its place."""
    return tuple(VOCABULARY.read_text(encoding="utf-8").splitlines())


def tokens(ids: Iterable[int]) -> list[str]:
    """Return the words of one stored review, without the padding."""
    table = vocabulary()
    return [table[place] for place in ids if place != PADDING]
