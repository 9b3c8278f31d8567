"""Digests of splits: hashes of the tensors that modules take, however the data are stored."""

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
"""Examples hashed together. It is fixed, because padding depends on the batch."""
CACHED_DIGESTS = 16
"""Number of cached digests."""

_digests: MemoryCache[str] = MemoryCache(CACHED_DIGESTS)


def group_digest(inputs: Any, labels: Any) -> bytes:
    """Return the SHA-256 of a group of examples, as a module takes them, and their labels.

    Class labels are hashed as int64 and numeric labels as float32, as in training. The name of a
    single input is not hashed, because another module may take it by position.
    """
    digest = hashlib.sha256()
    _update(digest, _single(inputs))
    _update(digest, _converted(labels))
    return digest.digest()


def split_digest(groups: Iterable[bytes]) -> str:
    """Return the SHA-256 (hex) of a split from the digests of its groups in order."""
    return hashlib.sha256(b"".join(groups)).hexdigest()


def differing_split(first: Task, second: Task) -> str | None:
    """Return the name of the first split whose data differ between two tasks, or None.

    Arrays of a built-in task and a user's tensors are equal if their content is equal.
    """
    if first == second:
        return None
    return next((name for name in SPLITS if not _equal(first, second, name)), None)


def _equal(first: Task, second: Task, name: str) -> bool:
    if first.digest(name) == second.digest(name):
        return True
    custom = [_has_content_digest(task, name) for task in (first, second)]
    if all(custom) or not any(custom):  # both digests are of the same kind
        return False
    user, other = (first, second) if custom[0] else (second, first)
    return user.digest(name) == _content_digest(other, name)


def _has_content_digest(task: Task, name: str) -> bool:
    """Return whether the digest of a split is that of the tensors that modules take."""
    return task.input_type == "custom" and any(
        isinstance(s, UserSplit) and s.split == name for s in task.sources
    )


def _content_digest(task: Task, name: str) -> str:
    key = task.input_type, task.digest(name)
    digest = _digests.get(key)
    return _digests.put(key, _compute_digest(task, name)) if digest is None else digest


def _compute_digest(task: Task, name: str) -> str:
    split = task.split(name)
    groups = [slice(start, start + GROUP_SIZE) for start in range(0, len(split), GROUP_SIZE)]
    return split_digest(
        group_digest(task.inputs(split.examples[group]), targets(split.labels[group]))
        for group in groups
    )


def _single(inputs: Any) -> Any:
    """Return the only tensor of the inputs, or the inputs if there are several."""
    parts = [*inputs.values()] if isinstance(inputs, Mapping) else inputs
    return inputs if isinstance(parts, Tensor) or len(parts) != 1 else parts[0]


def _converted(labels: Any) -> Any:
    if isinstance(labels, Tensor) and labels.dtype != torch.bool and not labels.is_complex():
        return labels.float() if labels.is_floating_point() else labels.long()
    if isinstance(labels, np.ndarray) and labels.dtype != np.bool_:
        return targets(labels)
    return labels


def _update(digest: Any, value: Any) -> None:
    """Hash the names, dtypes, shapes and values of nested tensors."""
    if isinstance(value, Tensor):
        digest.update(f"{value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.detach().contiguous().flatten().view(torch.uint8).numpy().data)
    elif isinstance(value, np.ndarray):
        digest.update(f"{value.dtype} {value.shape}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, Mapping):
        for key, item in value.items():
            digest.update(str(key).encode())
            _update(digest, item)
    elif isinstance(value, tuple | list):
        for item in value:
            _update(digest, item)
    else:
        digest.update(repr(value).encode())
