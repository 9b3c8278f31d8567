"""A person's data as a split: whatever holds inputs and targets, read but not copied."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from workbench.custom.fields import Fields
from workbench.custom.sources import Arrays, BatchSizeError, Source, in_batches, source_of
from workbench.custom.value_checks import INPUTS, TARGETS, WEIGHTS, FiniteCheck, check_dtypes
from workbench.domain import Split
from workbench.domain.data_digest import GROUP_SIZE, group_digest, split_digest
from workbench.domain.lazy_rows import PaddedRows
from workbench.errors import WorkbenchError
from workbench.recipe.schema import brief
from workbench.runtime.seeding import preserve_random_state

REREAD_GROUPS = 4
"""Groups of examples, spread over a split, that are read twice: all of those of a small split."""


def split_of(name: str, data: Any, names: frozenset[str] = frozenset()) -> Split:
    """Return `data` as the split called `name`, and read all of it once.

    Some of what is made at each reading is read twice, to tell whether it stays the same.

    Parameters
    ----------
    name : "train", "validation" or "test"
    data
        A pair (inputs, targets) of arrays or tensors with a row for every example, inputs also a
        tuple or a dict of them; a Dataset of examples; a DataLoader, of which the examples that its
        sampler draws count, in the order of the data set, joined by its ``collate_fn``; or an
        iterable of examples or batches: batches where the targets have as many rows as the inputs.
        In place of a pair, a triple with a weight ≥ 0 for every example, or a dict with the targets
        under ``labels``, ``label``, ``targets`` or ``target``.
    names
        Under which names the module takes its inputs: a single input of a dict that is not among
        them goes by position.

    Raises
    ------
    WorkbenchError
        When it is none of these, is empty, breaks off half-way, differs from one reading to the
        next, lies on another device, holds NaN or infinity, or is of a kind that PyTorch does not
        compute with.
    """
    with preserve_random_state():  # reading may draw random numbers
        source = source_of(name, data, names)
        try:
            return _read(name, source)
        except BatchSizeError:
            if not isinstance(data, DataLoader):
                raise
            return _read(name, in_batches(name, data, names))


def check_numbers(name: str, inputs: Any, targets: Any) -> None:
    """Refuse arrays of a split that hold NaN or infinity, as `split_of` does.

    Raises
    ------
    WorkbenchError
        Naming the first example that does.
    """
    source, finite = Arrays(name, Fields(inputs, targets)), FiniteCheck()
    for start in range(0, len(source), GROUP_SIZE):
        for side, part in _sides(Fields(*source.read(slice(start, start + GROUP_SIZE)))):
            _check_finite(source, side, finite.see(side, part, start))
    _check_finite(source, INPUTS, finite.without_zeros())


def _read(name: str, source: Source) -> Split:
    _check_rows(name, source)
    finite = FiniteCheck()
    digests: list[bytes] = []
    targets: list[Any] = []
    weights: list[Tensor] = []
    padded = False
    for start in range(0, len(source), GROUP_SIZE):
        read = source.read(slice(start, start + GROUP_SIZE))
        batch = source.join(read)
        padded = padded or (source.pads and _is_padded(source, read, batch.targets))
        for side, part in _sides(batch):
            check_dtypes(name, side, part)
            _check_finite(source, side, finite.see(side, part, start))
        digests.append(group_digest(batch.inputs, batch.targets))
        targets.append(batch.targets)
        if batch.weights is not None:
            weights.append(_weights(name, batch.weights))
    _check_finite(source, INPUTS, finite.without_zeros())
    _check_repeats(name, source, digests)
    labels = _labels(source, targets, padded)
    return Split(name, source.examples, labels, split_digest(digests), _all_weights(name, weights))


def _sides(batch: Fields) -> zip[tuple[str, Any]]:
    return zip((INPUTS, TARGETS, WEIGHTS), batch.as_tuple(), strict=False)


def _check_rows(name: str, source: Source) -> None:
    """Refuse a split without examples, and arrays that do not go together."""
    if isinstance(source, Arrays):
        inputs, *others = source.given.as_tuple()
        for side, part in zip((TARGETS, WEIGHTS), others, strict=False):
            if len(part) != len(inputs):
                raise WorkbenchError(
                    f"The {name} data has {len(inputs):,} inputs and {len(part):,} {side}: give as "
                    "many of both."
                )
        for side, part in _sides(source.given):
            check_dtypes(name, side, getattr(part, "parts", part))
    if not len(source):
        raise WorkbenchError(f"The {name} data is empty: give at least one example.")


def _check_finite(source: Source, side: str, wrong: int | None) -> None:
    """Refuse the example numbered `wrong`, if there is one."""
    if wrong is not None:
        raise WorkbenchError(
            f"The {source.name} {side} hold NaN or infinity in example {source.place(wrong)}: "
            "replace such numbers with finite ones, or leave the example out."
        )


def _check_repeats(name: str, source: Source, digests: list[bytes]) -> None:
    """Refuse examples that are other ones when they are read again."""
    if isinstance(source, Arrays) or not source.rereads:
        return
    chosen = np.linspace(0, len(digests) - 1, min(REREAD_GROUPS, len(digests)), dtype=int)
    for number in chosen.tolist():
        again = source.join(source.read(slice(number * GROUP_SIZE, (number + 1) * GROUP_SIZE)))
        if group_digest(again.inputs, again.targets) != digests[number]:
            apart = ", and their random changes as augment=" if name == "train" else ""
            raise WorkbenchError(
                f"The {name} data differ each time they are read: give the unchanged "
                f"examples{apart}; or keep one reading, with list(data)."
            )


def _is_padded(source: Source, read: Any, targets: Any) -> bool:
    """Whether targets are sequences that are wider in the batch than in an example alone."""
    return _is_sequences(targets) and any(
        source.join([one]).targets.shape != targets[:1].shape for one in read
    )


def _labels(source: Source, batches: list[Any], padded: bool) -> Any:
    """Return the targets as an array where they are numbers of one shape, else as they are read."""
    if isinstance(source, Arrays):
        return _array(source.given.targets)
    joined = _array_of(batches)
    if joined is not None and not padded:
        return _array(joined)
    labels = source.labels
    if not all(_is_sequences(one) for one in batches):
        return labels
    values = torch.cat([one.flatten().long() for one in batches]).unique().numpy()
    return PaddedRows(labels.get, labels.collate, labels.indices, values)


def _is_sequences(targets: Any) -> bool:
    """Whether targets are whole numbers, one for each place of a sequence."""
    whole = isinstance(targets, Tensor) and targets.ndim == 2
    return whole and not (targets.is_floating_point() or targets.dtype == torch.bool)


def _array_of(batches: list[Any]) -> Tensor | None:
    """Return the targets of all batches as one tensor; None for boxes and the like."""
    first = batches[0]
    if not isinstance(first, Tensor) or first.dtype == torch.bool:
        return None
    alike = all(isinstance(one, Tensor) and one.shape[1:] == first.shape[1:] for one in batches)
    return torch.cat(batches) if alike else None


def _array(labels: Any) -> Any:
    """Return labels as an array, without copying where that can be."""
    if not isinstance(labels, Tensor):
        return labels
    whole = labels.detach()
    return (whole.float() if whole.dtype == torch.bfloat16 else whole).numpy()


def _weights(name: str, weights: Any) -> Tensor:
    """Return the weights of a batch as float32 [b].

    Raises
    ------
    WorkbenchError
        When they are no floating-point numbers ≥ 0, one for each example.
    """
    found = torch.from_numpy(weights) if isinstance(weights, np.ndarray) else weights
    numbers = isinstance(found, Tensor) and found.is_floating_point() and found.ndim
    if not numbers or found.numel() != len(found) or bool((found < 0).any()):
        raise WorkbenchError(
            f"The third of the {name} data's parts is {brief(weights)}: give a weight ≥ 0 for each "
            "example, as a floating-point number; or several inputs as ((a, b), target)."
        )
    return found.detach().float().reshape(-1)


def _all_weights(name: str, weights: list[Tensor]) -> Any:
    if not weights:
        return None
    whole = torch.cat(weights)
    if not bool(whole.any()):
        raise WorkbenchError(f"All weights of the {name} data are 0: give some that count.")
    return whole.numpy()
