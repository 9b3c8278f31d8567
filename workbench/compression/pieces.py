"""Long arrays in pieces that stay in a core's cache, worked on side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from workbench.threads import parallel_map

PIECE_SIZE = 2**17
"""Entries of a piece: a multiple of the blocks and bytes that codecs write."""

Found = TypeVar("Found")


def pieces(size: int) -> list[slice]:
    """Return the slices that cut `size` entries; one, if empty, where there are none."""
    return [slice(at, min(at + PIECE_SIZE, size)) for at in range(0, max(size, 1), PIECE_SIZE)]


def in_pieces(work: Callable[[slice], Found], size: int) -> Iterator[Found]:
    """Yield what `work` returns for each piece of `size` entries, in order."""
    return parallel_map(work, pieces(size))
