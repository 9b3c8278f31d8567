"""Index-addressable views of a user's data set; examples are read on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Get = Callable[[int], Any]
Collate = Callable[[Sequence[Any]], Any]


class LazyRows:
    """Examples of a data set, selected by index.

    Indexing with an integer, a slice or an array selects fewer examples, as for an array.

    Parameters
    ----------
    get
        Reads the example with a given index.
    collate
        Joins a list of examples to a batch.
    indices
        Indices of the selected examples.
    """

    def __init__(self, get: Get, collate: Collate, indices: Any) -> None:
        self.get = get
        self.collate = collate
        self.indices = np.asarray(indices)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> LazyRows:
        return LazyRows(self.get, self.collate, np.atleast_1d(self.indices[index]))

    def to_batch(self) -> Any:
        """Read all selected examples as one batch."""
        return _narrow(self.collate([self.get(int(index)) for index in self.indices]))


class PaddedRows(LazyRows):
    """Integer labels for each position of a sequence, padded to the longest of a batch.

    `values` are the distinct labels of all sequences, int64 [m].
    """

    def __init__(self, get: Get, collate: Collate, indices: Any, values: NDArray[np.int64]) -> None:
        super().__init__(get, collate, indices)
        self.values = values

    def __getitem__(self, index: Any) -> PaddedRows:
        return PaddedRows(self.get, self.collate, np.atleast_1d(self.indices[index]), self.values)

    def to_batch(self) -> Any:
        """Read all selected labels as one int64 batch [b, positions]."""
        return super().to_batch().long()


class Columns:
    """Several arrays or tensors with one row per example, by name or in order."""

    def __init__(self, parts: Mapping[str, Any] | Sequence[Any]) -> None:
        self.parts = parts

    def __len__(self) -> int:
        parts = self.parts.values() if isinstance(self.parts, Mapping) else self.parts
        return min(len(part) for part in parts)

    def __getitem__(self, index: Any) -> Columns:
        if isinstance(self.parts, Mapping):
            return Columns({name: part[index] for name, part in self.parts.items()})
        return Columns([part[index] for part in self.parts])

    def to_batch(self) -> Any:
        """Return the module's inputs: a dict or a tuple of tensors."""
        if isinstance(self.parts, Mapping):
            return {name: collate_examples(part) for name, part in self.parts.items()}
        return tuple(collate_examples(part) for part in self.parts)


def collate_examples(examples: Any) -> Any:
    """Return stored examples as a tensor, a tuple of tensors or a dict of tensors."""
    if isinstance(examples, LazyRows | Columns):
        return examples.to_batch()
    tensor = examples
    if not isinstance(examples, Tensor):
        tensor = torch.from_numpy(np.ascontiguousarray(examples))
    return _narrow(tensor)


def _narrow(batch: Any) -> Any:
    """Convert float64 to float32, the dtype of the weights."""
    is_float64 = isinstance(batch, Tensor) and batch.dtype == torch.float64
    return batch.float() if is_float64 else batch
