"""Sources of the examples of a split: arrays, a dataset, a loader, or an iterable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch.utils.data import DataLoader, IterableDataset, default_collate

from workbench.custom import data_loaders
from workbench.custom.fields import Fields, fields_of, is_array, is_batch, rows_of, to_float32
from workbench.domain.lazy_rows import Columns, LazyRows, collate_examples
from workbench.errors import InputError, WorkbenchError, describe, user_errors
from workbench.recipe.schema import brief

ACCEPTED = (
    "a Dataset, a DataLoader, a pair of arrays or tensors (inputs, targets), or an iterable of "
    "such pairs"
)


READING_FAILED = "data.reading_failed"


class CollateError(InputError):
    """Examples cannot be joined into a batch."""

    default_code = "data.not_collatable"


class BatchSizeError(InputError):
    """A batch has more or fewer rows than the examples it was made of."""

    default_code = "data.batch_size"


@dataclass(frozen=True)
class Arrays:
    """Arrays or tensors of the user, with one row per example."""

    name: str
    fields: Fields
    rereads = pads = False

    def __len__(self) -> int:
        return len(self.fields.targets)

    @property
    def examples(self) -> Any:
        """The inputs, which can be indexed by integers, slices and index arrays."""
        return self.fields.inputs

    def read(self, chosen: slice) -> Any:
        """Return the fields of some examples, not yet collated."""
        return [part[chosen] for part in self.fields.as_tuple()]

    def join(self, examples: Any) -> Fields:
        """Return the result of `read` as a batch, the inputs as a module takes them."""
        inputs, *others = examples
        return Fields(collate_examples(inputs), *others)

    def label(self, index: int) -> str:
        """Return how an error message names an example."""
        return f"{index:,}"


@dataclass(frozen=True)
class Examples:
    """Examples that are read on demand, by index.

    Attributes
    ----------
    keys : sequence
        The key of each example.
    get : callable
        Reads the example of a key.
    join : callable
        Turns several examples into a batch.
    rereads : bool
        Whether each access reads the example again, so that two accesses may differ.
    pads : bool
        Whether a batch may be wider than the examples in it.
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
        """The inputs, which can be indexed by integers, slices and index arrays."""
        return self._rows(lambda items: self.join(items).inputs)

    @property
    def labels(self) -> LazyRows:
        """The targets, which can be indexed likewise."""
        return self._rows(lambda items: self.join(items).targets)

    def read(self, chosen: slice) -> Any:
        """Return some examples as they are in the dataset."""
        return [self.get(key) for key in self.keys[chosen]]

    def label(self, index: int) -> str:
        """Return how an error message names an example."""
        return str(self.keys[index])

    def _rows(self, collate: Callable[[Sequence[Any]], Any]) -> LazyRows:
        return LazyRows(
            lambda number: self.get(self.keys[number]), collate, np.arange(len(self.keys))
        )


Source = Arrays | Examples


def source_of(name: str, data: Any, names: frozenset[str] = frozenset()) -> Source:
    """Return the source of the examples of the split called `name`.

    Parameters
    ----------
    data
        As `workbench.custom.split.split_of` takes it.
    names
        The argument names of the module's inputs.

    Raises
    ------
    InputError
        If `data` is of another type, or fails while it is read.
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
    raise InputError(
        f"The {name} data must be {ACCEPTED}, not {brief(data)}.", code="data.invalid_type"
    )


def in_batches(name: str, loader: DataLoader[Any], names: frozenset[str]) -> Source:
    """Return the examples of all batches of a loader, which are held in memory.

    For loaders whose batches have more or fewer rows than the examples they were made of.
    """
    batches = (
        _joined(name, loader.collate_fn, [_item(name, loader.dataset, key) for key in keys])
        for keys in data_loaders.batches(name, loader)
    )
    return _of_items(name, _read(name, batches, names))


def _arrays(name: str, data: Any, names: frozenset[str]) -> Fields | None:
    """Return `data` as arrays with one row per example; None if it is something else."""
    several = isinstance(data, tuple | list) and len(data) in {2, 3}
    if several and _has_rows(data[0]) and all(map(is_array, data[1:])):
        return Fields(_columns(data[0]), *data[1:])
    if isinstance(data, Mapping) and data and all(map(is_array, data.values())):
        fields = fields_of(f"The {name} data", data, names)
        return Fields(_columns(fields.inputs), fields.targets)
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
    if not data_loaders.collates(loader):  # the dataset itself yields batches
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
    """Return examples that are read from a dataset and joined into batches by `collate`."""

    def item(key: Any) -> tuple[Any, ...]:
        example = _item(name, dataset, key)
        return fields_of(f"Item {key} of the {name} data", example, names).as_tuple()

    def join(items: Sequence[Any]) -> Fields:
        subject = f"A batch that the collate_fn of the {name} data returns"
        fields = fields_of(subject, _joined(name, collate, items), names)
        return _checked(name, fields, len(items))

    if collate is default_collate:
        return Examples(name, keys, item, _by_column(name), rereads=True)
    return Examples(
        name, keys, lambda key: _item(name, dataset, key), join, rereads=True, pads=True
    )


def _of_items(name: str, items: list[Fields]) -> Examples:
    """Return the examples of items in memory; batches are split into examples."""
    if items and all(map(is_batch, items)):
        sizes = [len(item.targets) for item in items]
        places = [(at, row) for at, size in enumerate(sizes) for row in range(size)]

        def get(key: int) -> tuple[Any, ...]:
            at, row = places[key]
            return tuple(_row(part, row) for part in items[at].as_tuple())

        return Examples(name, range(len(places)), get, _by_column(name))
    return Examples(name, range(len(items)), lambda key: items[key].as_tuple(), _by_column(name))


def _by_column(name: str) -> Callable[[Sequence[Any]], Fields]:
    """Return a function that collates tuples of fields with PyTorch's default."""

    def join(items: Sequence[Any]) -> Fields:
        parts = [_joined(name, default_collate, column) for column in zip(*items, strict=True)]
        return _checked(name, Fields(*parts), len(items))

    return join


def _checked(name: str, fields: Fields, expected: int) -> Fields:
    rows = rows_of(name, fields)
    if rows != expected:
        raise BatchSizeError(
            f"A batch of {expected:,} items of the {name} data has {rows:,} rows: give one row per "
            "item."
        )
    return Fields(to_float32(fields.inputs), *fields.as_tuple()[1:])


def _joined(name: str, collate: Callable[[list[Any]], Any], items: Sequence[Any]) -> Any:
    try:
        return collate(list(items))
    except WorkbenchError:
        raise
    except Exception as error:
        raise CollateError(
            f"Some examples of the {name} data cannot be joined into a batch ({describe(error)}): "
            "pass examples of one size, or a DataLoader with a collate_fn that joins them."
        ) from error


def _read(name: str, data: Iterable[Any], names: frozenset[str]) -> list[Fields]:
    items: list[Fields] = []
    try:
        for item in data:
            items.append(fields_of(f"Item {len(items):,} of the {name} data", item, names))
    except WorkbenchError:
        raise
    except Exception as error:
        message = f"{_reading(name, f'{len(items):,}')} with {describe(error)}"
        raise InputError(message, code=READING_FAILED) from error
    if len({len(item.as_tuple()) for item in items}) > 1:
        raise InputError(
            f"Only some items of the {name} data have a weight: give every item a weight, or none.",
            code="data.some_weights",
        )
    return items


def _item(name: str, dataset: Any, key: Any) -> Any:
    with user_errors(_reading(name, key), code=READING_FAILED):
        return dataset[key]


def _reading(name: str, key: Any) -> str:
    return f"Reading item {key} of the {name} data fails"


def _row(batch: Any, row: int) -> Any:
    if isinstance(batch, Mapping):
        return {name: part[row] for name, part in batch.items()}
    if isinstance(batch, tuple | list):
        return tuple(part[row] for part in batch)
    return batch[row]
