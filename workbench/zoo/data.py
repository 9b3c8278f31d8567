"""Tasks and their splits: the data sets that the built-in models are trained and judged on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import UnknownNameError, WorkbenchError

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Source:
    """One split as it lies in the package: a ``.npz`` file and the digest of its content."""

    split: str
    path: Path
    digest: str


@dataclass(frozen=True, eq=False)
class Split:
    """The examples of one split, in data-set order.

    Attributes
    ----------
    name : str
        "train", "validation" or "test".
    images : uint8 array [n, 28, 28]
        Read-only, because every caller in the process shares it.
    labels : uint8 array [n]
        Read-only, class indices.
    digest : str
        SHA-256 (hex) of the bytes of ``images`` followed by those of ``labels``.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    digest: str

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Task:
    """A data set split into train, validation and test, and what its examples mean.

    Attributes
    ----------
    name, title : str
        The identifier and the name a person reads.
    classes : tuple of str
        Class names by label.
    source, licence : str
        Where the data comes from and under which licence.
    sources : tuple of Source
        The vendored files, one per split.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    source: str
    licence: str
    sources: tuple[Source, ...]

    def split(self, name: str) -> Split:
        """Return one split, loaded at the first call and shared afterwards.

        Raises
        ------
        UnknownNameError
            If there is no such split.
        WorkbenchError
            If the vendored file is missing or damaged.
        """
        return _load(self._source(name))

    def digest(self, split: str) -> str:
        """Return the digest of one split without loading it.

        Raises
        ------
        UnknownNameError
            If there is no such split.
        """
        return self._source(split).digest

    def inputs(self, images: NDArray[np.uint8]) -> torch.Tensor:
        """Turn stored images into what the task's models take.

        Parameters
        ----------
        images : uint8 array [b, 28, 28]

        Returns
        -------
        float32 tensor [b, 1, 28, 28]
            Pixels divided by 255: correctly rounded, so the same on every machine.
        """
        import torch

        return torch.tensor(images).unsqueeze(1).to(torch.float32).div_(255)

    def _source(self, name: str) -> Source:
        for source in self.sources:
            if source.split == name:
                return source
        raise unknown("split", name, (source.split for source in self.sources))


def unknown(kind: str, name: str, choices: Iterable[str]) -> UnknownNameError:
    """Make the error for a name that is in no table, naming those that are."""
    return UnknownNameError(f"Unknown {kind} {name!r}; choose one of: {', '.join(choices)}.")


def digest_of(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> str:
    """SHA-256 (hex) of the bytes of the images followed by those of the labels."""
    return hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()


@cache
def _load(source: Source) -> Split:
    import zipfile

    import numpy as np

    try:
        with np.load(source.path, allow_pickle=False) as arrays:
            images, labels = arrays["images"], arrays["labels"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise WorkbenchError(_damaged(source)) from error
    if digest_of(images, labels) != source.digest:
        raise WorkbenchError(_damaged(source))
    images.flags.writeable = labels.flags.writeable = False
    return Split(source.split, images, labels, source.digest)


def _damaged(source: Source) -> str:
    return f"The data file {source.path.name} is missing or damaged; install the package again."
