"""WordPiece tokenization as in BERT (Devlin et al., arXiv 1810.04805)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

PADDING, UNKNOWN, BEGIN, END = "[PAD]", "[UNK]", "[CLS]", "[SEP]"
MAX_CHARACTERS = 100
"""Longest word that is split into pieces; longer words are unknown."""

PART = re.compile(r"[^\W_]+|[^\w\s]|_")
"""A run of letters and digits, or one other character."""


def word_pieces(word: str, ids: Mapping[str, int]) -> list[int]:
    """Return the ids of a word's pieces, by greedy longest match."""
    pieces: list[int] = []
    start = 0
    while start < len(word) <= MAX_CHARACTERS:
        prefix = "##" if start else ""
        ends = range(len(word), start, -1)
        end = next((end for end in ends if prefix + word[start:end] in ids), None)
        if end is None:
            return [ids[UNKNOWN]]
        pieces.append(ids[prefix + word[start:end]])
        start = end
    return pieces or [ids[UNKNOWN]]


def encode(
    texts: Iterable[Sequence[str]], ids: Mapping[str, int], length: int
) -> NDArray[np.uint16]:
    """Return the ids of the word pieces of texts: uint16 [n, length], padded at the end.

    Texts are lists of words. Each row starts with `BEGIN` and ends with `END`; longer texts are
    truncated.
    """
    rows = []
    for text in texts:
        parts = [part for word in text for part in PART.findall(_normalized(word))]
        pieces = [piece for part in parts for piece in word_pieces(part, ids)]
        row = [ids[BEGIN], *pieces[: length - 2], ids[END]]
        rows.append(row + [ids[PADDING]] * (length - len(row)))
    return np.array(rows, np.uint16)


def _normalized(word: str) -> str:
    """Return a word in lower case and without accents."""
    decomposed = unicodedata.normalize("NFD", word.lower())
    return "".join(c for c in decomposed if unicodedata.category(c) != "Mn")
