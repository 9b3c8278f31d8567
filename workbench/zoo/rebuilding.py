"""What the scripts that rebuild vendored data have in common."""

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

from workbench.errors import WorkbenchError

Array = NDArray[Any]


def read_original(path: Path, checksum: str) -> bytes:
    """Return the content of a file whose SHA-256 is `checksum`.

    Raises
    ------
    WorkbenchError
        If the file is missing or is not the original.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WorkbenchError(f"Cannot read {path}; give the folder that holds it.") from error
    if hashlib.sha256(content).hexdigest() != checksum:
        raise WorkbenchError(f"{path} is not the original file: its SHA-256 differs.")
    return content


def shuffled(texts: Iterable[str], seed: int) -> list[int]:
    """Return the places of `texts` in an order that hangs on nothing but their words and `seed`.

    By SHA-256 rather than a random generator: no version of any library changes it.
    """
    keys = [hashlib.sha256(f"{seed} {text}".encode()).digest() for text in texts]
    return sorted(range(len(keys)), key=keys.__getitem__)


def write_npz(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write what ``numpy.savez_compressed`` writes, but the same bytes on every system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.create_system = 3  # else the system that wrote it
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w") as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def run_command(
    rebuild: Callable[[Path, Path], Mapping[str, str]],
    folder: Path,
    arguments: Sequence[str] | None = None,
) -> None:
    """Run `rebuild` from the command line and print the digest of each split.

    The exit status is 2 when the source is not right.

    Parameters
    ----------
    rebuild : takes the folder of the source and the one to write, returns digests by split
    folder : what is written unless the command says otherwise
    arguments : those of the command line
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
