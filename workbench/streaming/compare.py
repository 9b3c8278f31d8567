"""Compare the tensors of two files, one tensor at a time."""

from __future__ import annotations

import os
from math import prod

import torch

from workbench.arguments import expect_path, expect_running
from workbench.artifact.changes import Changes
from workbench.cancel import NEVER, CancelToken
from workbench.compression.weight_error import WeightError, weight_error
from workbench.streaming.masks import Progress
from workbench.streaming.safetensors_header import NUMERIC_DTYPES
from workbench.streaming.stored_tensors import Kind, StoredTensors, open_tensors

WIDE = frozenset(["I64", "U64"])
"""Dtypes whose numbers may be equal in float64 and yet differ."""


def compare_files(
    before: str | os.PathLike[str],
    after: str | os.PathLike[str],
    *,
    on_progress: Progress = lambda completed, total: None,
    cancel: CancelToken = NEVER,
) -> Changes:
    """Return how far the tensors of one file are from those of another.

    Each may be a safetensors file, the index of its shards, their folder, or a Workbench file,
    whose tensors are decoded. One tensor of each is in memory at a time. The files may have
    different dtypes: errors are relative to `before`.

    Parameters
    ----------
    before, after
        The paths, usually of an original and of its compressed file.
    on_progress
        Called with the number of weights compared so far, and the number to compare.
    cancel
        Stops between two tensors.

    Raises
    ------
    FileError
        If a file is missing or cannot be read.
    ArtifactError
        If a file is damaged or of another program.
    Cancelled
        If `cancel` is cancelled.
    """
    expect_running(cancel, on_progress=on_progress)
    before, after = expect_path(before, "before"), expect_path(after, "after")
    first, second = open_tensors(before), open_tensors(after)
    both = [name for name in first.kinds if name in second.kinds]
    errors: dict[str, WeightError] = {}
    unchanged, other_shape, other_bytes = [], [], []
    read, total = 0, sum(_weights(first.kinds[name]) for name in both)
    for name in both:
        cancel.check()
        read += _weights(first.kinds[name])
        if first.kinds[name].shape != second.kinds[name].shape:
            other_shape.append(name)
        elif (error := _error(name, first, second)) is None:
            other_bytes.append(name)
        elif error.changed:
            errors[name] = error
        else:
            unchanged.append(name)
        on_progress(read, total)
    return Changes(
        errors,
        tuple(unchanged),
        only_before=tuple(name for name in first.kinds if name not in second.kinds),
        only_after=tuple(name for name in second.kinds if name not in first.kinds),
        other_shape=tuple(other_shape),
        other_dtype={
            name: f"{first.kinds[name].dtype} → {second.kinds[name].dtype}"
            for name in both
            if first.kinds[name].dtype != second.kinds[name].dtype
        },
        other_bytes=tuple(other_bytes),
    )


def _error(name: str, first: StoredTensors, second: StoredTensors) -> WeightError | None:
    """Return the error of a tensor; None if its numbers cannot be compared and its bytes differ."""
    dtypes = {first.kinds[name].dtype, second.kinds[name].dtype}
    with first.tensor(name) as old, second.tensor(name) as new:
        if dtypes <= NUMERIC_DTYPES.keys():
            error = weight_error(old, new)
            hidden = not error.changed and dtypes < WIDE and not torch.equal(old, new)
            return None if hidden else error
        return WeightError() if len(dtypes) == 1 and torch.equal(old, new) else None


def _weights(kind: Kind) -> int:
    return prod(kind.shape)
