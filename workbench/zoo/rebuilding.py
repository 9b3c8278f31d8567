"""Shared functions of the scripts that rebuild vendored data sets."""

from __future__ import annotations

import argparse
import hashlib
import sys
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import FileError, WorkbenchError

Array = NDArray[Any]


def read_original(path: Path, checksum: str) -> bytes:
    """Return the content of a file whose SHA-256 is `checksum`.

    Raises
    ------
    FileError
        If the file is missing or is not the original.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileError(
            f"Cannot read {path}; pass the folder that contains it.", code="data.source_missing"
        ) from error
    if hashlib.sha256(content).hexdigest() != checksum:
        raise FileError(
            f"{path} is not the original file: its SHA-256 differs.", code="data.source_changed"
        )
    return content


def shuffled(texts: Iterable[str], seed: int) -> list[int]:
    """Return a permutation of the indices of `texts` that depends only on the texts and `seed`.

    It uses SHA-256 instead of a random generator, so no library version changes it.
    """
    keys = [hashlib.sha256(f"{seed} {text}".encode()).digest() for text in texts]
    return sorted(range(len(keys)), key=keys.__getitem__)


def write_npz(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write a file like ``numpy.savez_compressed``, with the same bytes on every system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.create_system = 3  # the default depends on the system
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w") as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def run_command(
    rebuild: Callable[[Path, Path], Mapping[str, str]],
    folder: Path,
    arguments: Sequence[str] | None = None,
) -> None:
    """Run `rebuild` from the command line and print the digest of each split.

    The exit status is 2 if a source file is missing or wrong.

    Parameters
    ----------
    rebuild
        Takes the source folder and the output folder and returns the digest of each split.
    folder
        The default output folder.
    arguments
        Command-line arguments; those of the process by default.
    """
    parser = argparse.ArgumentParser(description="Rebuild a vendored data set.")
    parser.add_argument("--source", type=Path, required=True, help="folder of the original files")
    parser.add_argument("--output", type=Path, default=folder, help="folder to write")
    options = parser.parse_args(arguments)
    try:
        digests = rebuild(options.source, options.output)
    except WorkbenchError as error:
        parser.exit(2, f"{error}\n")
    for split, digest in digests.items():
        sys.stdout.write(f"{digest}  {split}\n")
