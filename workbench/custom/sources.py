"""Where the examples of a split come from: arrays, a data set, a loader, or what was iterated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch.utils.data import DataLoader, IterableDataset, default_collate

from workbench.custom import data_loaders
from workbench.custom.fields import Fields, fields_of, is_array, is_batch, rows_of, to_float32
from workbench.domain.lazy_rows import Columns, LazyRows, collate_examples
from workbench.errors import WorkbenchError, describe
from workbench.recipe.schema import brief

ACCEPTED = (
    "a Dataset, a DataLoader, a pair of arrays or tensors (inputs, targets), or an iterable of "
    "such pairs"
)


class CollateError(WorkbenchError):
    """Examples cannot be put into one batch."""


class BatchSizeError(WorkbenchError):
    """A batch holds more or fewer examples than it was made of."""


@dataclass(frozen=True)
class Arrays:
    """Arrays or tensors with a row for each example, as they were given."""

    name: str
    given: Fields
    rereads = pads = False

    def __len__(self) -> int:
        return len(self.given.targets)

    @property
    def examples(self) -> Any:
        """The inputs, which can be indexed by numbers, slices and arrays of numbers."""
        return self.given.inputs

    def read(self, some: slice) -> Any:
        """Return some examples as they are given."""
        return [part[some] for part in self.given.as_tuple()]

    def join(self, read: Any) -> Fields:
        """Return what was read as a batch, the inputs as a module takes them."""
        inputs, *others = read
        return Fields(collate_examples(inputs), *others)

    def place(self, number: int) -> str:
        """Return how a sentence names an example."""
        return f"{number:,}"


@dataclass(frozen=True)
class Examples:
    """Examples that are read when they are wanted, by number.

    `get` reads one of `keys`, and `join` turns several into a batch. `rereads` says that each
    reading makes the example again, so that two may differ, and `pads` that a batch may be wider
    than the examples in it.
    """

    name: str
    keys: Sequence[Any]
    get: Callable[[Any], Any]
    join: Callable[[Sequence[Any]], Fields]
    rereads: bool = False
    pads: bool = False

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def examples(self) -> LazyRows:
        """The inputs, which can be indexed by numbers, slices and arrays of numbers."""
        return self._rows(lambda items: self.join(items).inputs)

    @property
    def labels(self) -> LazyRows:
        """The targets, likewise."""
        return self._rows(lambda items: self.join(items).targets)

    def read(self, some: slice) -> Any:
        """Return some examples as the data set has them."""
        return [self.get(key) for key in self.keys[some]]

    def place(self, number: int) -> str:
        """Return how a sentence names an example."""
        return str(self.keys[number])

    def _rows(self, collate: Callable[[Sequence[Any]], Any]) -> LazyRows:
        return LazyRows(
            lambda number: self.get(self.keys[number]), collate, np.arange(len(self.keys))
        )


Source = Arrays | Examples


def source_of(name: str, data: Any, names: frozenset[str] = frozenset()) -> Source:
    """Return where the examples of the split called `name` come from.

    Parameters
    ----------
    data
        As `workbench.custom.split.split_of` takes it.
    names
        Under which names the module takes its inputs.

    Raises
    ------
    WorkbenchError
        When `data` is of another kind, or breaks off.
    """
    arrays = _arrays(name, data, names)
    if arrays is not None:
        return Arrays(name, arrays)
    if isinstance(data, DataLoader):
        return _of_loader(name, data, names)
    if isinstance(data, list | tuple):
        return _of_items(name, _read(name, data, names))
    if hasattr(data, "__getitem__") and hasattr(data, "__len__") and not isinstance(data, Mapping):
        return _of_dataset(
            name, data, default_collate, range(data_loaders.length(name, data)), names
        )
    if isinstance(data, Iterable) and not isinstance(data, str | bytes | Mapping):
        return _of_items(name, _read(name, data, names))
    raise WorkbenchError(f"The {name} data must be {ACCEPTED}, not {brief(data)}.")


def in_batches(name: str, loader: DataLoader[Any], names: frozenset[str]) -> Source:
    """Return the examples of the batches that a loader yields, which stay in memory.

    This is for loaders whose batches hold more or fewer examples than they were made of.
    """
    batches = (
        _joined(name, loader.collate_fn, [_item(name, loader.dataset, key) for key in keys])
        for keys in data_loaders.batches(name, loader)
    )
    return _of_items(name, _read(name, batches, names))


def _arrays(name: str, data: Any, names: frozenset[str]) -> Fields | None:
    """Return `data` as arrays with a row for each example; None where it is something else."""
    several = isinstance(data, tuple | list) and len(data) in {2, 3}
    if several and _has_rows(data[0]) and all(map(is_array, data[1:])):
        return Fields(_columns(data[0]), *data[1:])
    if isinstance(data, Mapping) and data and all(map(is_array, data.values())):
        found = fields_of(f"The {name} data", data, names)
        return Fields(_columns(found.inputs), found.targets)
    return None


def _has_rows(value: Any) -> bool:
    parts = value.values() if isinstance(value, Mapping) else value
    several = isinstance(value, Mapping | tuple) and bool(value)
    return is_array(value) or (several and all(map(is_array, parts)))


def _columns(value: Any) -> Any:
    return value if is_array(value) else Columns(value)


def _of_loader(name: str, loader: DataLoader[Any], names: frozenset[str]) -> Source:
    if isinstance(loader.dataset, IterableDataset):
        return _of_items(name, _read(name, loader, names))
    keys = data_loaders.keys(name, loader)
    if not data_loaders.collates(loader):  # the data set itself makes the batches
        items = (loader.collate_fn(_item(name, loader.dataset, key)) for key in keys)
        return _of_items(name, _read(name, items, names))
    return _of_dataset(name, loader.dataset, loader.collate_fn, keys, names)


def _of_dataset(
    name: str,
    dataset: Any,
    collate: Callable[[list[Any]], Any],
    keys: Sequence[Any],
    names: frozenset[str],
) -> Examples:
    """Return examples that are read from a data set, and joined into batches by `collate`."""

    def item(key: Any) -> tuple[Any, ...]:
        found = _item(name, dataset, key)
        return fields_of(f"Item {key} of the {name} data", found, names).as_tuple()

    def join(items: Sequence[Any]) -> Fields:
        what = f"A batch that the collate_fn of the {name} data returns"
        found = fields_of(what, _joined(name, collate, items), names)
        return _counted(name, found, len(items))

    if collate is default_collate:
        return Examples(name, keys, item, _by_column(name), rereads=True)
    return Examples(
        name, keys, lambda key: _item(name, dataset, key), join, rereads=True, pads=True
    )


def _of_items(name: str, items: list[Fields]) -> Examples:
    """Return the examples of items that lie in memory, batches taken apart."""
    if items and all(map(is_batch, items)):
        sizes = [len(item.targets) for item in items]
        places = [(at, row) for at, size in enumerate(sizes) for row in range(size)]

        def get(key: int) -> tuple[Any, ...]:
            at, row = places[key]
            return tuple(_row(part, row) for part in items[at].as_tuple())

        return Examples(name, range(len(places)), get, _by_column(name))
    return Examples(name, range(len(items)), lambda key: items[key].as_tuple(), _by_column(name))


def _by_column(name: str) -> Callable[[Sequence[Any]], Fields]:
    """Return what joins examples that are taken apart already, as PyTorch does."""

    def join(items: Sequence[Any]) -> Fields:
        parts = [_joined(name, default_collate, column) for column in zip(*items, strict=True)]
        return _counted(name, Fields(*parts), len(items))

    return join


def _counted(name: str, fields: Fields, wanted: int) -> Fields:
    rows = rows_of(name, fields)
    if rows != wanted:
        raise BatchSizeError(
            f"A batch of {wanted:,} items of the {name} data holds {rows:,} examples: give a row "
            "for each."
        )
    return Fields(to_float32(fields.inputs), *fields.as_tuple()[1:])


def _joined(name: str, collate: Callable[[list[Any]], Any], items: Sequence[Any]) -> Any:
    try:
        return collate(list(items))
    except Exception as error:
        raise CollateError(
            f"Some of the {name} data's examples cannot be joined into a batch, {describe(error)}: "
            "give them one size, or a DataLoader with a collate_fn that joins them."
        ) from error


def _read(name: str, data: Iterable[Any], names: frozenset[str]) -> list[Fields]:
    found: list[Fields] = []
    try:
        for item in data:
            found.append(fields_of(f"Item {len(found):,} of the {name} data", item, names))
    except WorkbenchError:
        raise
    except Exception as error:
        raise _broken(name, f"{len(found):,}", error) from error
    if len({len(one.as_tuple()) for one in found}) > 1:
        raise WorkbenchError(f"Some items of the {name} data have a weight: give one to all.")
    return found


def _item(name: str, dataset: Any, key: Any) -> Any:
    try:
        return dataset[key]
    except Exception as error:
        raise _broken(name, key, error) from error


def _broken(name: str, key: Any, error: Exception) -> WorkbenchError:
    return WorkbenchError(f"The {name} data breaks off at item {key} with {describe(error)}")


def _row(whole: Any, row: int) -> Any:
    if isinstance(whole, Mapping):
        return {name: part[row] for name, part in whole.items()}
    if isinstance(whole, tuple | list):
        return tuple(part[row] for part in whole)
    return whole[row]
