"""Examples in whatever a person keeps them, read by number when they are wanted."""

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
    """The examples with the numbers `chosen`, of which `get` reads one and `collate` joins some.

    Indexed by numbers, slices and arrays of numbers it gives fewer of them, like an array.
    """

    def __init__(self, get: Get, collate: Collate, chosen: Any) -> None:
        self.get = get
        self.collate = collate
        self.indices = np.asarray(chosen)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, place: Any) -> LazyRows:
        return LazyRows(self.get, self.collate, np.atleast_1d(self.indices[place]))

    def to_batch(self) -> Any:
        """Read them all, as one batch."""
        return _narrow(self.collate([self.get(int(number)) for number in self.indices]))


class PaddedRows(LazyRows):
    """Whole numbers, one for each place of a sequence, padded to the longest of those joined.

    `values` are the distinct numbers of all sequences, int64 [m].
    """

    def __init__(self, get: Get, collate: Collate, chosen: Any, values: NDArray[np.int64]) -> None:
        super().__init__(get, collate, chosen)
        self.values = values

    def __getitem__(self, place: Any) -> PaddedRows:
        return PaddedRows(self.get, self.collate, np.atleast_1d(self.indices[place]), self.values)

    def to_batch(self) -> Any:
        """Read them all, as one int64 batch [b, places]."""
        return super().to_batch().long()


class Columns:
    """Several arrays or tensors with a row for every example, by name or in order."""

    def __init__(self, parts: Mapping[str, Any] | Sequence[Any]) -> None:
        self.parts = parts

    def __len__(self) -> int:
        parts = self.parts.values() if isinstance(self.parts, Mapping) else self.parts
        return min(len(part) for part in parts)

    def __getitem__(self, place: Any) -> Columns:
        if isinstance(self.parts, Mapping):
            return Columns({name: part[place] for name, part in self.parts.items()})
        return Columns([part[place] for part in self.parts])

    def to_batch(self) -> Any:
        """Return them as a module takes them: a dict of tensors, or a tuple."""
        if isinstance(self.parts, Mapping):
            return {name: collate_examples(part) for name, part in self.parts.items()}
        return tuple(collate_examples(part) for part in self.parts)


def collate_examples(examples: Any) -> Any:
    """Return stored examples as tensors: one, several, or a dict of them."""
    if isinstance(examples, LazyRows | Columns):
        return examples.to_batch()
    tensor = examples
    if not isinstance(examples, Tensor):
        tensor = torch.from_numpy(np.ascontiguousarray(examples))
    return _narrow(tensor)


def _narrow(batch: Any) -> Any:
    """Return float64 as float32, which weights are."""
    wide = isinstance(batch, Tensor) and batch.dtype == torch.float64
    return batch.float() if wide else batch
