"""Arrays that processes give each other as files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def save_arrays(arrays: Iterable[NDArray[Any]], folder: Path) -> tuple[Path, ...]:
    """Write each array to a .npy file of a folder, and return the files."""
    paths = []
    for number, array in enumerate(arrays):
        paths.append(folder / f"input_{number}.npy")
        np.save(paths[-1], array)
    return tuple(paths)


def open_arrays(paths: Sequence[str]) -> list[NDArray[Any]]:
    """Return the arrays of .npy files, which are read as far as they are used."""
    return [np.load(path, mmap_mode="r") for path in paths]


def rows_of(arrays: Sequence[NDArray[Any]], start: int, count: int) -> list[NDArray[Any]]:
    """Return up to `count` rows of each array, in memory."""
    return [np.array(array[start : start + count], order="C") for array in arrays]
