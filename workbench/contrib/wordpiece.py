"""Words cut into the pieces of a vocabulary, as BERT does it (Devlin et al., arXiv 1810.04805)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

PADDING, UNKNOWN, BEGIN, END = "[PAD]", "[UNK]", "[CLS]", "[SEP]"
MAX_CHARACTERS = 100
"""Characters of a word that is cut; a longer one is unknown."""

PART = re.compile(r"[^\W_]+|[^\w\s]|_")
"""Letters and digits, or one sign."""


def word_pieces(word: str, ids: Mapping[str, int]) -> list[int]:
    """Return the ids of a word's pieces: always the longest that the vocabulary has."""
    found: list[int] = []
    start = 0
    while start < len(word) <= MAX_CHARACTERS:
        front = "##" if start else ""
        ends = range(len(word), start, -1)
        end = next((end for end in ends if front + word[start:end] in ids), None)
        if end is None:
            return [ids[UNKNOWN]]
        found.append(ids[front + word[start:end]])
        start = end
    return found or [ids[UNKNOWN]]


def encode(
    texts: Iterable[Sequence[str]], ids: Mapping[str, int], length: int
) -> NDArray[np.uint16]:
    """Return texts, given as words, as ids of pieces: uint16 [n, length], padded at the end.

    Each begins and ends with a mark of its own; what is longer is cut.
    """
    rows = []
    for words in texts:
        parts = [part for word in words for part in PART.findall(_bare(word))]
        found = [piece for part in parts for piece in word_pieces(part, ids)]
        row = [ids[BEGIN], *found[: length - 2], ids[END]]
        rows.append(row + [ids[PADDING]] * (length - len(row)))
    return np.array(rows, np.uint16)


def _bare(word: str) -> str:
    """Return a word in lower case and without accents."""
    apart = unicodedata.normalize("NFD", word.lower())
    return "".join(sign for sign in apart if unicodedata.category(sign) != "Mn")
