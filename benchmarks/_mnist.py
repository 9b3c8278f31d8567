"""The original MNIST as a task, and networks of the zoo trained on it.

`python benchmarks/_mnist.py FILE --data DIR --split test` loads a saved file and prints one JSON
object: its size in bytes, and the number of correct reference predictions on the split.
"""

from __future__ import annotations

import argparse
import gzip
import json
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench.domain.model import Architecture, Model
from workbench.domain.task import Split, Task, digest_of, unknown_name_error
from workbench.zoo.registry import architecture

if TYPE_CHECKING:
    from torch import nn

CHECKSUMS = {
    "train-images-idx3-ubyte.gz": (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
    ),
    "train-labels-idx1-ubyte.gz": (
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
    ),
    "t10k-images-idx3-ubyte.gz": (
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
    ),
}
"""SHA-256 of the decompressed files; the archives differ between mirrors."""
HELD_BACK = 5_000
"""The last training images, used for validation."""
NETWORKS = {"mnist/lenet-300-100": "fashion/lenet-300-100", "mnist/lenet5": "fashion/lenet5"}
"""Networks of the zoo that are trained on MNIST, by their MNIST name."""


@dataclass(frozen=True)
class Mnist(Task):
    """MNIST, read from the four original files in `folder`."""

    folder: Path = Path()

    def split(self, name: str) -> Split:
        """Return one split: 55,000 images to train on, 5,000 for validation, 10,000 to test."""
        splits = _splits(self.folder)
        if name not in splits:
            raise unknown_name_error("split", name, splits)
        return splits[name]

    def digest(self, split: str) -> str:
        """Return the digest of one split."""
        return self.split(split).digest


@dataclass(frozen=True)
class Network(Architecture):
    """A network of the zoo for another task, with its checkpoint in `folder`."""

    original: Architecture = field(kw_only=True)
    folder: Path = field(kw_only=True)

    @property
    def build(self) -> Callable[[], nn.Module]:
        """The function that makes a module with random weights."""
        return self.original.build

    @property
    def checkpoint(self) -> Path:
        """The ``.safetensors`` file of the trained weights."""
        return self.folder / f"{Path(self.name).name}.safetensors"


def mnist(folder: Path) -> Mnist:
    """Return the task with its files in `folder`."""
    return Mnist(
        name="mnist",
        title="Digits (MNIST)",
        classes=tuple("0123456789"),
        source="MNIST (LeCun, Cortes and Burges)",
        license="",
        sources=(),
        folder=folder,
    )


def untrained(name: str, task: Task, folder: Path) -> Model:
    """Return one of `NETWORKS` without weights, to train it from scratch.

    The digest of the training data takes the place of the digest of the weights.
    """
    original = architecture(NETWORKS[name])
    shapes = {name: list(tensor.shape) for name, tensor in original.build().state_dict().items()}
    network = Network(name, task, original.title, original=original, folder=folder)
    layers = {name: {} for name, shape in shapes.items() if len(shape) >= 2}
    return Model(network, {"tensors": shapes, "layers": layers, "sha256": task.digest("train")})


def read(path: Path) -> NDArray[np.uint8]:
    """Read an original MNIST file, or exit with an error message."""
    try:
        content = gzip.decompress(path.read_bytes())
    except OSError:
        sys.exit(f"Cannot read {path}: give the folder of the four MNIST files.")
    if sha256(content).hexdigest() != CHECKSUMS[path.name]:
        sys.exit(f"{path} is not the original file: its SHA-256 differs.")
    dimensions = content[3]
    shape = struct.unpack_from(f">{dimensions}I", content, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape).copy()


@cache
def _splits(folder: Path) -> dict[str, Split]:
    images, labels, *test = (read(folder / name) for name in CHECKSUMS)
    parts = {
        "train": (images[:-HELD_BACK], labels[:-HELD_BACK]),
        "validation": (images[-HELD_BACK:], labels[-HELD_BACK:]),
        "test": test,
    }
    return {
        name: Split(name, pixels, classes, digest_of(pixels, classes))
        for name, (pixels, classes) in parts.items()
    }


def in_new_process(path: Path, data: Path, split: str) -> dict[str, int]:
    """Run this script on the file at `path` and return its output."""
    command = [sys.executable, __file__, str(path), "--data", str(data), "--split", split]
    process = subprocess.run(command, check=True, capture_output=True, text=True)
    output: dict[str, int] = json.loads(process.stdout)
    return output


def main() -> None:
    """Load, predict and print."""
    parser = argparse.ArgumentParser(description="Evaluate a saved file on MNIST.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", required=True)
    options = parser.parse_args()

    import workbench as wb
    from workbench.evaluation.reference import predict

    artifact = wb.load(options.file)
    model = untrained(artifact.model, mnist(options.data), options.file.parent)
    split = model.task.split(options.split)
    correct = int((predict(model, artifact.weights(), split.examples) == split.labels).sum())
    print(json.dumps({"bytes": options.file.stat().st_size, "correct": correct}))


if __name__ == "__main__":
    main()
