"""A person's data as a split: whatever holds pairs of inputs and targets, read but not copied."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, SequentialSampler, default_collate

from workbench.errors import WorkbenchError, in_words, told
from workbench.recipe.schema import brief
from workbench.zoo import Split
from workbench.zoo.rows import Columns, Rows

FORMS = (
    "a Dataset, a DataLoader, a pair of arrays or tensors (inputs, targets), or an iterable of "
    "such pairs"
)
STRANGE = (torch.uint16, torch.uint32, torch.uint64)
"""Kinds of numbers with which hardly a layer of PyTorch computes."""


INPUTS, TARGETS = "inputs", "targets"


class Unjoined(WorkbenchError):
    """Examples cannot be put into one batch."""


def split_of(name: str, data: Any) -> Split:
    """Return `data` as the split called `name`, and read all of it once.

    Parameters
    ----------
    name : "train", "validation" or "test"
    data
        A pair (inputs, targets) of arrays or tensors with a row for every example, inputs also a
        tuple or a dict of them; a Dataset of examples; a DataLoader, of which the examples that its
        sampler draws are read in the order of the data set; or an iterable of pairs, batches where
        the targets have as many rows as the inputs, else examples.

    Raises
    ------
    WorkbenchError
        When it is none of these, is empty, breaks off half-way, lies on another device, or is of
        a kind that PyTorch does not compute with.
    """
    examples, labels = _parts(name, data)
    if len(examples) != len(labels):
        raise WorkbenchError(
            f"The {name} data has {len(examples):,} inputs and {len(labels):,} targets: give as "
            "many of both."
        )
    if not len(examples):
        raise WorkbenchError(f"The {name} data is empty: give at least one example.")
    digest = hashlib.sha256()
    for part in chain(_pieces(name, INPUTS, examples), _pieces(name, TARGETS, labels)):
        digest.update(part)
    return Split(name, examples, _as_array(labels), digest.hexdigest())


def _parts(name: str, data: Any) -> tuple[Any, Any]:
    if (
        isinstance(data, tuple | list)
        and len(data) == 2
        and _has_rows(data[0])
        and _is_array(data[1])
    ):
        return _columns(data[0]), data[1]
    if isinstance(data, DataLoader):
        return _of_loader(name, data)
    if isinstance(data, list | tuple):
        return _of_items(name, _read(name, data))
    if hasattr(data, "__getitem__") and hasattr(data, "__len__") and not isinstance(data, Mapping):
        return _of_dataset(name, data, default_collate)
    if isinstance(data, Iterable) and not isinstance(data, str | bytes | Mapping):
        return _of_items(name, _read(name, data))
    raise WorkbenchError(f"The {name} data must be {FORMS}, not {brief(data)}.")


def _of_loader(name: str, loader: DataLoader[Any]) -> tuple[Any, Any]:
    if isinstance(loader.dataset, IterableDataset) or loader.batch_size is None:
        return _of_items(name, _read(name, loader))
    if isinstance(loader.sampler, SequentialSampler):
        return _of_dataset(name, loader.dataset, loader.collate_fn)
    drawn = [int(number) for number in loader.sampler]
    if len(set(drawn)) == len(drawn):  # in whatever order, these examples once each
        drawn.sort()
    return _of_dataset(name, loader.dataset, loader.collate_fn, drawn)


def _of_dataset(
    name: str, dataset: Any, collate: Any, drawn: Sequence[int] | None = None
) -> tuple[Rows, Rows]:
    """Return inputs and targets that are read from a data set when they are wanted.

    `drawn` are the numbers of its examples that count; all of them unless given.
    """
    with in_words(f"The length of the {name} data is not told: it fails"):
        numbers = np.arange(len(dataset)) if drawn is None else np.array(drawn, np.int64)

    def get(number: int) -> Any:
        try:
            item = dataset[number]
        except Exception as error:
            raise _broken(name, number, error) from error
        return _pair(name, number, item)

    def batch(items: Sequence[Any]) -> tuple[Any, Any]:
        found = _joined(name, collate, items)
        if isinstance(found, tuple | list) and len(found) == 2:
            return found[0], found[1]
        raise WorkbenchError(
            f"What joins the {name} data's examples into a batch returns no pair (inputs, targets) "
            f"but {brief(found)}: let its collate_fn return one."
        )

    inputs = Rows(get, lambda items: batch(items)[0], numbers)
    return inputs, Rows(get, lambda items: batch(items)[1], numbers)


def _of_items(name: str, items: list[tuple[Any, Any]]) -> tuple[Rows, Rows]:
    """Return inputs and targets of pairs that lie in memory, batches taken apart."""
    places: list[tuple[int, int | None]]
    if items and all(_is_batch(*item) for item in items):
        sizes = [len(target) for _inputs, target in items]
        places = [(at, row) for at, size in enumerate(sizes) for row in range(size)]
    else:
        places = [(at, None) for at in range(len(items))]

    def get(side: int) -> Any:
        def read(number: int) -> Any:
            at, row = places[number]
            whole = items[at][side]
            return whole if row is None else _row(whole, row)

        return read

    def stacked(items: Sequence[Any]) -> Any:
        return _joined(name, default_collate, items)

    numbers = np.arange(len(places))
    return Rows(get(0), stacked, numbers), Rows(get(1), stacked, numbers)


def _joined(name: str, collate: Callable[[list[Any]], Any], items: Sequence[Any]) -> Any:
    try:
        return collate(list(items))
    except Exception as error:
        raise Unjoined(
            f"Some of the {name} data's examples cannot be joined into a batch, {told(error)}: "
            "give them one size, or a DataLoader with a collate_fn that joins them."
        ) from error


def _read(name: str, data: Iterable[Any]) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    try:
        for item in data:
            found.append(_pair(name, len(found), item))
    except WorkbenchError:
        raise
    except Exception as error:
        raise _broken(name, len(found), error) from error
    return found


def _pair(name: str, number: int, item: Any) -> tuple[Any, Any]:
    if isinstance(item, tuple | list) and len(item) == 2:
        return item[0], item[1]
    raise WorkbenchError(
        f"Item {number:,} of the {name} data is no pair (inputs, target) but {brief(item)}: give "
        f"{FORMS}."
    )


def _broken(name: str, number: int, error: Exception) -> WorkbenchError:
    return WorkbenchError(f"The {name} data breaks off at item {number:,} with {told(error)}")


def _is_array(value: Any) -> bool:
    return isinstance(value, Tensor | np.ndarray) and value.ndim > 0


def _has_rows(value: Any) -> bool:
    if isinstance(value, Mapping):
        return bool(value) and all(map(_is_array, value.values()))
    return _is_array(value) or (
        isinstance(value, tuple) and bool(value) and all(map(_is_array, value))
    )


def _columns(value: Any) -> Any:
    return value if _is_array(value) else Columns(value)


def _is_batch(inputs: Any, target: Any) -> bool:
    parts = inputs.values() if isinstance(inputs, Mapping) else inputs
    first: Any = inputs if _is_array(inputs) else next(iter(parts), None)
    return _is_array(target) and _is_array(first) and len(first) == len(target)


def _row(whole: Any, row: int) -> Any:
    if isinstance(whole, Mapping):
        return {name: part[row] for name, part in whole.items()}
    if isinstance(whole, tuple | list):
        return tuple(part[row] for part in whole)
    return whole[row]


def _pieces(name: str, side: str, part: Any) -> Iterator[bytes]:
    """Yield the content of some examples or labels, for their digest."""
    if isinstance(part, Rows):
        for number in part.chosen:
            item = part.get(int(number))
            yield from _content(name, side, item)
    elif isinstance(part, Columns):
        yield from _content(name, side, part.parts)
    else:
        yield from _content(name, side, part)


def _content(name: str, side: str, value: Any) -> Iterator[bytes]:
    if isinstance(value, Tensor):
        if value.device.type != "cpu":
            raise WorkbenchError(
                f"The {name} data lies on {value.device}: move it to the CPU, where files are "
                "judged."
            )
        if value.layout != torch.strided:
            raise WorkbenchError(
                f"The {name} {side} hold sparse tensors: give dense ones, made with .to_dense()."
            )
        _check_kind(name, side, value.dtype)
        yield f"{value.dtype} {tuple(value.shape)}".encode()
        yield value.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes()
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield str(key).encode()
            yield from _content(name, side, one)
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _content(name, side, one)
    elif isinstance(value, np.ndarray):
        _check_kind(name, side, value.dtype)
        yield f"{value.dtype} {value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    else:
        yield repr(value).encode()


def _check_kind(name: str, side: str, kind: np.dtype[Any] | torch.dtype) -> None:
    """Refuse what no tensor holds, and inputs that hardly a layer takes."""
    known: torch.dtype | None = None
    if isinstance(kind, torch.dtype):
        known = kind
    elif kind.isnative:
        with suppress(TypeError):
            known = torch.from_numpy(np.empty(0, kind)).dtype
    wide = {np.dtype(np.uint16), np.dtype(np.uint32), np.dtype(np.uint64)}  # old PyTorch has none
    if side == TARGETS and kind in wide:
        return
    if known is not None and (side == TARGETS or known not in STRANGE):
        return
    wanted = "class numbers as int64 or numbers as float32" if side == TARGETS else "float32"
    raise WorkbenchError(
        f"The {name} {side} are of kind {kind}, with which modules do not compute: give {wanted}."
    )


def _as_array(labels: Any) -> Any:
    """Return labels as an array, without copying where they are one; boxes and such stay rows."""
    if isinstance(labels, Tensor):
        whole = labels.detach()
        return (whole.float() if whole.dtype == torch.bfloat16 else whole).numpy()
    if isinstance(labels, np.ndarray):
        return labels
    one = labels[:1].joined()
    if not isinstance(one, Tensor) or one.dtype == torch.bool:
        return labels
    try:
        return torch.cat([labels[[n]].joined() for n in range(len(labels))]).numpy()
    except (RuntimeError, Unjoined):  # of several sizes
        return labels
