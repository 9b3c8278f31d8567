"""Conversion of text to character ids and back, and of a stream of ids to windows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from workbench.zoo.reviews_lm import ALPHABET, WINDOW

Ids = NDArray[np.uint8]


def encode(text: str) -> Ids:
    """Return the id of each character, uint8 [n]; 0 for characters outside the alphabet."""
    ids = {symbol: index for index, symbol in enumerate(ALPHABET)}
    return np.array([ids.get(symbol, 0) for symbol in text], np.uint8)


def decode(ids: Iterable[int]) -> str:
    """Return the text of character ids."""
    return "".join(ALPHABET[index] for index in ids)


def windows(stream: Ids) -> tuple[Ids, Ids]:
    """Split a stream into examples and labels.

    Parameters
    ----------
    stream
        uint8 array [n · WINDOW + 1].

    Returns
    -------
    examples : uint8 array [n, WINDOW]
        Consecutive windows.
    labels : uint8 array [n, WINDOW]
        The character that follows each character of the windows.
    """
    return stream[:-1].reshape(-1, WINDOW), stream[1:].reshape(-1, WINDOW)
