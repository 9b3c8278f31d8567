"""Process long arrays in pieces that fit a core's cache, in parallel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from workbench.threads import parallel_map

PIECE_SIZE = 2**17
"""The number of entries in a piece, a multiple of the codecs' block and byte sizes."""

Result = TypeVar("Result")


def pieces(size: int) -> list[slice]:
    """Return the slices that split `size` entries; one empty slice if `size` is 0."""
    return [slice(at, min(at + PIECE_SIZE, size)) for at in range(0, max(size, 1), PIECE_SIZE)]


def in_pieces(work: Callable[[slice], Result], size: int) -> Iterator[Result]:
    """Yield the result of `work` for each piece of `size` entries, in order."""
    return parallel_map(work, pieces(size))
