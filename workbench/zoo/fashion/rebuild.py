"""Rebuild the vendored Fashion-MNIST from its original IDX files.

    python -m workbench.zoo.fashion.rebuild --source /usr/share/datasets/fashion-mnist

The folder is that of Debian's package ``dataset-fashion-mnist``. The files at
https://github.com/zalandoresearch/fashion-mnist are identical.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from workbench.domain.task import digest_of
from workbench.zoo.fashion import FOLDER
from workbench.zoo.rebuilding import Array, read_original, run_command, write_npz

CHECKSUMS = {
    "train-images-idx3-ubyte.gz": (
        "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7"
    ),
    "train-labels-idx1-ubyte.gz": (
        "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056"
    ),
    "t10k-images-idx3-ubyte.gz": (
        "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa"
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05"
    ),
}

# split: (images, labels, first example, one past the last)
SPLITS = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", 0, 20_000),
    "validation": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", 20_000, 25_000),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", 0, 10_000),
}


def rebuild(source: Path, output: Path) -> dict[str, str]:
    """Write one ``.npz`` per split into ``output`` and return the digest of each split.

    Raises
    ------
    FileError
        If a source file is missing or is not the original.
    """
    files = {name: read_idx(source / name, checksum) for name, checksum in CHECKSUMS.items()}
    digests = {}
    for split, (images, labels, first, end) in SPLITS.items():
        arrays = {"images": files[images][first:end], "labels": files[labels][first:end]}
        write_npz(output / f"{split}.npz", arrays)
        digests[split] = digest_of(arrays["images"], arrays["labels"])
    return digests


def read_idx(path: Path, checksum: str) -> Array:
    """Read a gzipped IDX file of bytes whose SHA-256 is ``checksum``."""
    content = gzip.decompress(read_original(path, checksum))
    dimensions = content[3]
    shape = struct.unpack_from(f">{dimensions}I", content, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script from the command line."""
    run_command(rebuild, FOLDER / "data", arguments)


if __name__ == "__main__":
    main()
