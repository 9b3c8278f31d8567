"""From reviews to character ids and back, and from a stream of them to windows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from workbench.zoo.reviews_lm import ALPHABET, WINDOW

Ids = NDArray[np.uint8]


def encode(text: str) -> Ids:
    """Return the id of each character, uint8 [n]; 0 for those that are not in the alphabet."""
    ids = {symbol: place for place, symbol in enumerate(ALPHABET)}
    return np.array([ids.get(symbol, 0) for symbol in text], np.uint8)


def decode(ids: Iterable[int]) -> str:
    """Return the text of some ids."""
    return "".join(ALPHABET[place] for place in ids)


def windows(stream: Ids) -> tuple[Ids, Ids]:
    """Cut a stream into examples and what comes next.

    Parameters
    ----------
    stream : uint8 array [n · WINDOW + 1]

    Returns
    -------
    uint8 array [n, WINDOW]
        The windows, one after the other.
    uint8 array [n, WINDOW]
        The character that follows each of theirs; the stream's first follows none.
    """
    return stream[:-1].reshape(-1, WINDOW), stream[1:].reshape(-1, WINDOW)
