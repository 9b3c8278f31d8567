"""Conversion of reviews to word ids and of word ids to readable text."""

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
"""Size of the vocabulary. The training split has 9,000 different words."""
LENGTH = 128
"""Maximum words per review. One percent are longer, by at most 13 words, and are truncated."""

WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+|[^\w\s]|_")
"""A word, possibly with an apostrophe, a number, or a punctuation mark."""


def tokenize(text: str) -> list[str]:
    """Split a text into lower-case words, numbers and punctuation marks."""
    return WORD.findall(text.lower())


def detokenize(words: Iterable[str]) -> str:
    """Join words to readable text that `tokenize` splits into the same words."""
    line = " ".join(words)
    return re.sub(r"(?<=\() | (?=[.,!?;:)])", "", line)


def build_vocabulary(texts: Iterable[str], size: int) -> list[str]:
    """Return a vocabulary of `size` entries: special tokens, then the most frequent words.

    Ties are broken alphabetically.
    """
    counts = Counter(word for text in texts for word in tokenize(text))
    frequent = sorted(counts, key=lambda word: (-counts[word], word))
    return [*SPECIAL, *frequent[: size - len(SPECIAL)]]


def encode(texts: Sequence[str], vocabulary: Sequence[str]) -> NDArray[np.uint16]:
    """Return the word ids of each text, uint16 [n, LENGTH], truncated or padded at the end."""
    ids = {word: index for index, word in enumerate(vocabulary)}
    encoded = np.full((len(texts), LENGTH), PADDING, np.uint16)
    for row, text in zip(encoded, texts, strict=True):
        known = [ids.get(word, UNKNOWN) for word in tokenize(text)[:LENGTH]]
        row[: len(known)] = known
    return encoded


@cache
def vocabulary() -> tuple[str, ...]:
    """Return the vocabulary of the built-in models; the id of a word is its index."""
    return tuple(VOCABULARY.read_text(encoding="utf-8").splitlines())


def tokens(ids: Iterable[int]) -> list[str]:
    """Return the words of a stored review without padding."""
    table = vocabulary()
    return [table[index] for index in ids if index != PADDING]
