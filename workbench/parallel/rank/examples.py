"""The examples of a job: all batches in order, in one file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from workbench.domain.losses import IGNORE_INDEX
from workbench.runtime.batch import Batch


class Examples:
    """The batches of a run and a sample for evaluation.

    Parameters
    ----------
    path
        A .safetensors file with ``input.NUMBER`` and ``labels`` of all steps one after the other,
        and ``sample.input.NUMBER`` and ``sample.labels``.
    names
        The module's argument names, or None if inputs are positional.
    batch
        Examples per step.
    """

    def __init__(self, path: Path, names: list[str] | None, batch: int) -> None:
        tensors = load_file(path)
        self._inputs = _batch_of(tensors, "input", names)
        self._labels = tensors["labels"]
        self._batch = batch
        self.sample = _batch_of(tensors, "sample.input", names)
        self.sample_labels = tensors["sample.labels"]

    def step(self, number: int, first: int = 0, count: int | None = None) -> tuple[Batch, Tensor]:
        """Return `count` examples of a step from `first`, by default all, and their labels."""
        start = number * self._batch
        part = slice(start + first, start + (self._batch if count is None else first + count))
        return self._inputs[part], self._labels[part]


def loss_terms(labels: Tensor) -> int:
    """Return the number of terms in a mean loss of `labels`."""
    if labels.is_floating_point() or labels.ndim == 1:
        return labels.numel()
    return int((labels != IGNORE_INDEX).sum())


def _batch_of(tensors: Mapping[str, Tensor], prefix: str, names: list[str] | None) -> Batch:
    columns: list[Any] = []
    while f"{prefix}.{len(columns)}" in tensors:
        columns.append(tensors[f"{prefix}.{len(columns)}"])
    return Batch(tuple(columns), None if names is None else tuple(names))
