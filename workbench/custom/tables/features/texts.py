"""Features of a column of texts: a bag of words."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from workbench.custom.tables.column import Column

MAX_WORDS = 2_000
"""Words that have a feature, the most frequent ones."""
MIN_TEXTS = 2
"""Texts that contain a word which gets a feature."""
MAX_SHARE = 0.9
"""Words in a larger share of the texts are left out."""
MAX_LETTERS = 20_000
"""Only the start of a longer text is read."""
IDEOGRAPHS = "\u3040-\u9fff"
"""Characters that are words without spaces between them."""
WORD = re.compile(rf"[{IDEOGRAPHS}]|[^\W{IDEOGRAPHS}]+(?:'[^\W{IDEOGRAPHS}]+)?|[^\w\s]")
SCALE = 5.0
"""The length of the vector of a text; other features have a variance of about 1."""


@dataclass(frozen=True)
class TextFeatures:
    """TF-IDF of words and marks; the vector of each text has the same length.

    Pairs of words are not used: with few texts, a network learns them by heart.

    Attributes
    ----------
    words : tuple of str
        The words, the most frequent first.
    weights : tuple of float
        Inverse document frequencies.
    indicator : bool
        Whether a feature says that the text is missing.
    """

    words: tuple[str, ...]
    weights: tuple[float, ...]
    indicator: bool = False

    def __post_init__(self) -> None:
        if len(self.words) != len(self.weights):
            raise ValueError(type(self).__name__)

    @classmethod
    def fit(cls, column: Column, rows: NDArray[np.int64], limit: int = MAX_WORDS) -> TextFeatures:
        """Fit on the training rows of a column; at most `limit` words get a feature."""
        counts: Counter[str] = Counter()
        present = rows[column.present[rows]]
        for row in present.tolist():
            counts.update(set(_words(column.cells[row])))
        common = MAX_SHARE * len(present)
        ranked = sorted(
            (item for item in counts.items() if MIN_TEXTS <= item[1] <= common),
            key=lambda item: (-item[1], item[0]),
        )[:limit]
        weights = (log((1 + len(present)) / (1 + count)) + 1 for _word, count in ranked)
        return cls(
            tuple(word for word, _count in ranked),
            tuple(round(weight, 3) for weight in weights),
            len(present) < len(rows),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """What each feature is, in addition to the column."""
        return (*self.words, *(("missing",) if self.indicator else ()))

    def transform(self, column: Column) -> NDArray[np.float32]:
        """Return float32 [rows, features]; words without a feature are ignored."""
        positions = {word: number for number, word in enumerate(self.words)}
        weights = np.array(self.weights)
        features = np.zeros((len(column.present), len(self.names)), np.float32)
        if self.indicator:
            features[:, -1] = ~column.present
        for row in np.flatnonzero(column.present).tolist():
            counts = Counter(positions[w] for w in _words(column.cells[row]) if w in positions)
            numbers = np.fromiter(counts.keys(), np.int64, len(counts))
            times = np.fromiter(counts.values(), np.float64, len(counts))
            values = (1 + np.log(times)) * weights[numbers]
            features[row, numbers] = SCALE * values / (np.sqrt(np.square(values).sum()) or 1.0)
        return features


def _words(text: str) -> list[str]:
    """Return the words and marks of a text in lower case."""
    return WORD.findall(text[:MAX_LETTERS].lower())
