"""The content of splits: hashed as modules take it, however a person keeps the data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.cache.memory import MemoryCache
from workbench.domain.inputs import targets
from workbench.domain.task import SPLITS, Task
from workbench.domain.user_architecture import UserSplit

GROUP_SIZE = 64
"""Examples hashed at once: padding depends on the examples that share a batch, so this is fixed."""
KEPT = 16
"""Digests of splits that are remembered."""

_known: MemoryCache[str] = MemoryCache(KEPT)


def group_digest(inputs: Any, labels: Any) -> bytes:
    """Return the SHA-256 of some examples, as a module takes them, and of their labels.

    The labels of classes count as int64 and those of numbers as float32, as in training. The name
    of a single input does not count: another module may take it by position.
    """
    found = hashlib.sha256()
    _add(found, _only(inputs))
    _add(found, _settled(labels))
    return found.digest()


def split_digest(groups: Iterable[bytes]) -> str:
    """Return the SHA-256 (hex) of a split from the digests of its groups, in order."""
    return hashlib.sha256(b"".join(groups)).hexdigest()


def differing_split(one: Task, other: Task) -> str | None:
    """Return the name of the first split in which the data of two tasks differ, None if in none.

    Equal data are equal however they are kept: arrays of a built-in task and a person's tensors.
    """
    if one == other:
        return None
    return next((name for name in SPLITS if not _equal(one, other, name)), None)


def _equal(one: Task, other: Task, name: str) -> bool:
    if one.digest(name) == other.digest(name):
        return True
    brought = [_is_brought(task, name) for task in (one, other)]
    if all(brought) or not any(brought):  # digests are of one kind
        return False
    own, given = (one, other) if brought[0] else (other, one)
    return own.digest(name) == _content_digest(given, name)


def _is_brought(task: Task, name: str) -> bool:
    """Whether the digest of a split is that of its content."""
    return task.input_type == "own" and any(
        isinstance(s, UserSplit) and s.split == name for s in task.sources
    )


def _content_digest(task: Task, name: str) -> str:
    key = task.input_type, task.digest(name)
    known = _known.get(key)
    return _known.put(key, _computed(task, name)) if known is None else known


def _computed(task: Task, name: str) -> str:
    split = task.split(name)
    places = [slice(at, at + GROUP_SIZE) for at in range(0, len(split), GROUP_SIZE)]
    return split_digest(
        group_digest(task.inputs(split.examples[some]), targets(split.labels[some]))
        for some in places
    )


def _only(inputs: Any) -> Any:
    """Return the tensor that inputs consist of, or the inputs where there are several."""
    parts = [*inputs.values()] if isinstance(inputs, Mapping) else inputs
    several = isinstance(parts, Tensor) or len(parts) != 1
    return inputs if several else parts[0]


def _settled(labels: Any) -> Any:
    if isinstance(labels, Tensor) and labels.dtype != torch.bool and not labels.is_complex():
        return labels.float() if labels.is_floating_point() else labels.long()
    if isinstance(labels, np.ndarray) and labels.dtype != np.bool_:
        return targets(labels)
    return labels


def _add(found: Any, value: Any) -> None:
    """Add the names, types, shapes and values of nested tensors to a hash."""
    if isinstance(value, Tensor):
        found.update(f"{value.dtype} {tuple(value.shape)}".encode())
        found.update(value.detach().contiguous().flatten().view(torch.uint8).numpy().data)
    elif isinstance(value, np.ndarray):
        found.update(f"{value.dtype} {value.shape}".encode())
        found.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, Mapping):
        for key, one in value.items():
            found.update(str(key).encode())
            _add(found, one)
    elif isinstance(value, tuple | list):
        for one in value:
            _add(found, one)
    else:
        found.update(repr(value).encode())
