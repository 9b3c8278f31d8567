"""Tasks and their splits: the data that models are trained and evaluated on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from workbench.domain.metric import ACCURACY, Metric
from workbench.errors import FileError, UnknownNameError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


SPLITS = ("train", "validation", "test")


class SplitSource(Protocol):
    """A provider of one split: a file of the package or a user's data."""

    @property
    def split(self) -> str:
        """The split's name."""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of its content."""

    def load(self) -> Split:
        """Return the split."""


@dataclass(frozen=True)
class PackagedSplit:
    """One split in the package: a ``.npz`` file and the digest of its content.

    If `window` is not 0, the file holds one stream of ids. It is cut into windows of `window` ids,
    and the label of each id is the id that follows it.
    """

    split: str
    path: Path
    digest: str
    window: int = 0

    def load(self) -> Split:
        """Return the split. It is read at the first call and shared afterwards.

        Raises
        ------
        FileError
            If the file is missing or damaged.
        """
        return _load(self)


def packaged_splits(
    folder: Path, digests: Mapping[str, str], window: int = 0
) -> tuple[PackagedSplit, ...]:
    """Return the splits in ``folder/data``, given the digest of each by name."""
    return tuple(
        PackagedSplit(split, folder / "data" / f"{split}.npz", digest, window)
        for split, digest in digests.items()
    )


@dataclass(frozen=True)
class TargetScale:
    """How outputs and labels that are numbers relate to the unit of the target.

    A number in the unit of the target is ``label * scale + mean``.

    Attributes
    ----------
    name : str
        The name of the target, such as the column of a table; may be empty.
    """

    name: str = ""
    mean: float = 0.0
    scale: float = 1.0

    def in_unit(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """Return outputs or labels in the unit of the target, as float64."""
        return numbers.astype("float64") * self.scale + self.mean


UNSCALED = TargetScale()


@dataclass(frozen=True, eq=False)
class SourceRows:
    """The rows of a table that the examples of a split were made from.

    Attributes
    ----------
    columns : tuple of str
        The names of the columns.
    lines : sequence of int
        The line of the file in which each row begins, counted from 1, [n].
    cells : sequence of sequences of str
        The cells of each column as in the file, [columns][n].
    """

    columns: tuple[str, ...]
    lines: Sequence[int]
    cells: Sequence[Sequence[str]]

    def row(self, index: int) -> dict[str, str]:
        """Return the cells of a row by the names of their columns."""
        return {name: cells[index] for name, cells in zip(self.columns, self.cells, strict=True)}


@dataclass(frozen=True, eq=False)
class Split:
    """The examples of one split, in data-set order.

    Attributes
    ----------
    name : str
        "train", "validation" or "test".
    examples : array [n, ...]
        As stored: images uint8, words and characters as ids, frames of a recording float32.
        Read-only, because every caller in the process shares them.
    labels : array [n] or [n, positions]
        Class indices, one for each position in a sequence task. Read-only.
    digest : str
        SHA-256 (hex) of the bytes of ``examples`` followed by the bytes of ``labels``.
    weights : array [n], optional
        float32 weight of each example in the training loss.
    rows : SourceRows, optional
        The rows of a table that the examples were made from.
    """

    name: str
    examples: Any
    labels: Any
    digest: str
    weights: Any = None
    rows: SourceRows | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"<Split {self.name}: {len(self):,} examples>"


@dataclass(frozen=True)
class Task:
    """A data set with training, validation and test splits, and the meaning of its examples.

    Attributes
    ----------
    name, title : str
        The identifier and the display name.
    classes : tuple of str
        Class names by label.
    source, license : str
        Origin of the data and its license.
    sources : tuple of SplitSource
        The provider of each split.
    input_type : str
        The type of an example: "image", "words", "characters", "frames" or "custom", for data of a
        user.
    metric : Metric
        The primary metric.
    measure : callable, optional
        A custom metric. It takes the outputs and the labels of all examples, as lists of batches
        in order, and returns a number.
    loss_fn : callable, optional
        A custom loss. It takes the outputs and labels of a batch, and during training the example
        weights if there are any, and returns a scalar.
    augment : callable, optional
        Takes the inputs of a training batch, as `inputs` returns them, and returns changed inputs.
    cache_salt : str
        Random if a function above is given, so that cached results of one function are never used
        for another. It also identifies the weights of the training examples, and the unit of the
        target.
    target : TargetScale
        The unit of a target that is a number.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    source: str
    license: str
    sources: tuple[SplitSource, ...]
    input_type: str = "image"
    metric: Metric = ACCURACY
    measure: Callable[[list[Any], list[Any]], float] | None = field(default=None, compare=False)
    loss_fn: Callable[..., Tensor] | None = field(default=None, compare=False)
    augment: Callable[[Any], Any] | None = field(default=None, compare=False)
    cache_salt: str = ""
    target: TargetScale = UNSCALED

    def split(self, name: str) -> Split:
        """Return one split. It is loaded at the first call and shared afterwards.

        Raises
        ------
        UnknownNameError
            If there is no such split.
        FileError
            If the packaged file is missing or damaged.
        """
        return self._source(name).load()

    def digest(self, split: str) -> str:
        """Return the digest of one split without loading it.

        Raises
        ------
        UnknownNameError
            If there is no such split.
        """
        return self._source(split).digest

    def inputs(self, examples: Any) -> Any:
        """Convert stored examples, an array [b, ...], to the inputs of the task's models.

        Images become float32 [b, 1, h, w] between 0 and 1; words and characters become int64
        [b, positions]; frames stay float32 [b, frames, features].
        """
        from workbench.domain.inputs import INPUT_CONVERTERS

        return INPUT_CONVERTERS[self.input_type](examples)

    def loss(self, outputs: Any, labels: Any) -> Tensor:
        """Return the mean loss of a batch of outputs against its labels, a scalar."""
        from workbench.domain.losses import label_loss

        return (self.loss_fn or label_loss)(outputs, labels)

    def _source(self, name: str) -> SplitSource:
        for source in self.sources:
            if source.split == name:
                return source
        raise unknown_name_error("split", name, (source.split for source in self.sources))


def unknown_name_error(kind: str, name: str, choices: Iterable[str]) -> UnknownNameError:
    """Return the error for an unknown name; its message lists the choices."""
    return UnknownNameError(
        f"Unknown {kind} {name!r}; choose one of: {', '.join(choices)}.",
        code="name.unknown",
    )


def digest_of(examples: NDArray[Any], labels: NDArray[Any]) -> str:
    """Return the SHA-256 (hex) of the bytes of the examples and then the labels."""
    import numpy as np

    digest = hashlib.sha256(np.ascontiguousarray(examples).data)
    digest.update(np.ascontiguousarray(labels).data)
    return digest.hexdigest()


@cache
def _load(source: PackagedSplit) -> Split:
    import zipfile

    import numpy as np

    try:
        with np.load(source.path, allow_pickle=False) as arrays:
            examples, labels = _examples_and_labels(
                {name: arrays[name] for name in arrays.files}, source.window
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise _damaged(source) from error
    if digest_of(examples, labels) != source.digest:
        raise _damaged(source)
    examples.flags.writeable = labels.flags.writeable = False
    return Split(source.split, examples, labels, source.digest)


def _examples_and_labels(
    arrays: dict[str, NDArray[Any]], window: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    if window:
        stream = arrays["stream"]
        return stream[:-1].reshape(-1, window), stream[1:].reshape(-1, window)
    labels = arrays.pop("labels")
    (examples,) = arrays.values()
    return examples, labels


def _damaged(source: PackagedSplit) -> FileError:
    return FileError(
        f"The data file {source.path.name} is missing or damaged; install the package again.",
        code="data.damaged",
    )
