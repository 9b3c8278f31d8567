"""Tasks and their splits: the data sets that the built-in models are trained and judged on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from workbench.domain.metric import ACCURACY, Metric
from workbench.errors import UnknownNameError, WorkbenchError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


SPLITS = ("train", "validation", "test")


class SplitSource(Protocol):
    """Whatever can give one split: a file of the package, or what a person brought."""

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
    """One split as it lies in the package: a ``.npz`` file and the digest of its content.

    A file that holds one stream is cut into windows of `window` numbers, whose labels are the
    numbers that follow each.
    """

    split: str
    path: Path
    digest: str
    window: int = 0

    def load(self) -> Split:
        """Return the split, read at the first call and shared afterwards.

        Raises
        ------
        WorkbenchError
            If the file is missing or damaged.
        """
        return _load(self)


@dataclass(frozen=True, eq=False)
class Split:
    """The examples of one split, in data-set order.

    Attributes
    ----------
    name : str
        "train", "validation" or "test".
    examples : array [n, ...]
        As they are stored: images uint8, words and characters as numbers, frames of a sound
        float32. Read-only, because every caller in the process shares them.
    labels : array [n] or [n, places]
        Read-only: class indices, of each place where every place is predicted.
    digest : str
        SHA-256 (hex) of the bytes of ``examples`` followed by those of ``labels``.
    weights : array [n], optional
        float32, how much each example counts in the loss of training.
    """

    name: str
    examples: Any
    labels: Any
    digest: str
    weights: Any = None

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"<Split {self.name}: {len(self):,} examples>"


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
    sources : tuple of Holder
        Where the splits are, one each.
    form : str
        What an example is: "image", "words", "characters", "frames" or "own".
    metric : Metric
        What counts first.
    measure : callable, optional
        Takes the outputs and the labels of all examples, batch by batch in order, and returns the
        figure: a person's own metric, which wants all at once.
    lose : callable, optional
        Takes the outputs and the labels of a batch, and in training the weights of its examples
        where these have some, and returns a person's own loss, a scalar.
    augment : callable, optional
        Takes the inputs of a training batch, as `inputs` makes them, and returns them changed.
    lot : str
        Random where a function above is given, so that what one function found is never taken for
        what another would find; it names the weights of training examples too.
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

    def split(self, name: str) -> Split:
        """Return one split, loaded at the first call and shared afterwards.

        Raises
        ------
        UnknownNameError
            If there is no such split.
        WorkbenchError
            If the vendored file is missing or damaged.
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
        """Turn some stored examples, an array [b, ...], into what the task's models take.

        Images become float32 [b, 1, h, w] between 0 and 1, words and characters int64
        [b, places], frames stay float32 [b, frames, features].
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
    """Make the error for a name that is in no table, naming those that are."""
    return UnknownNameError(f"Unknown {kind} {name!r}; choose one of: {', '.join(choices)}.")


def digest_of(examples: NDArray[Any], labels: NDArray[Any]) -> str:
    """SHA-256 (hex) of the bytes of the examples followed by those of the labels."""
    return hashlib.sha256(examples.tobytes() + labels.tobytes()).hexdigest()


@cache
def _load(source: PackagedSplit) -> Split:
    import zipfile

    import numpy as np

    try:
        with np.load(source.path, allow_pickle=False) as arrays:
            examples, labels = _parts({name: arrays[name] for name in arrays.files}, source.window)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise WorkbenchError(_damaged(source)) from error
    if digest_of(examples, labels) != source.digest:
        raise WorkbenchError(_damaged(source))
    examples.flags.writeable = labels.flags.writeable = False
    return Split(source.split, examples, labels, source.digest)


def _parts(arrays: dict[str, NDArray[Any]], window: int) -> tuple[NDArray[Any], NDArray[Any]]:
    if window:
        stream = arrays["stream"]
        return stream[:-1].reshape(-1, window), stream[1:].reshape(-1, window)
    labels = arrays.pop("labels")
    (examples,) = arrays.values()
    return examples, labels


def _damaged(source: PackagedSplit) -> str:
    return f"The data file {source.path.name} is missing or damaged; install the package again."
