"""Read user data as a split, without copying it."""

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
from workbench.errors import InputError
from workbench.recipe.schema import brief
from workbench.runtime.seeding import preserve_random_state

REREAD_GROUPS = 4
"""Groups of examples, spread over a split, that are read twice; a small split is read twice."""


def split_of(name: str, data: Any, names: frozenset[str] = frozenset()) -> Split:
    """Return `data` as the split called `name`, after reading all of it once.

    Some examples are read twice, to check that they stay the same.

    Parameters
    ----------
    name : "train", "validation" or "test"
    data
        A pair (inputs, targets) of arrays or tensors with one row per example, where inputs may
        also be a tuple or a dict of them; a Dataset of examples; a DataLoader, of which the
        examples that its sampler selects are used, in the order of the dataset, joined by its
        ``collate_fn``; or an iterable of examples or batches. Items are batches if targets and
        inputs have equally many rows. Instead of a pair, a triple with a weight ≥ 0 per example, or
        a dict with the targets under ``labels``, ``label``, ``targets`` or ``target``.
    names
        The argument names of the module's inputs. A single input of a dict that is not among them
        is passed by position.

    Raises
    ------
    InputError
        If data is of another type, empty, not on the CPU, or of an unsupported dtype, contains
        NaN or infinity, fails while it is read, or differs when it is read again.
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
    """Check that the arrays of a split are finite, as `split_of` does.

    Raises
    ------
    InputError
        If an example contains NaN or infinity.
    """
    source, finite = Arrays(name, Fields(inputs, targets)), FiniteCheck()
    for start in range(0, len(source), GROUP_SIZE):
        for side, part in _sides(Fields(*source.read(slice(start, start + GROUP_SIZE)))):
            _check_finite(source, side, finite.update(side, part, start))
    _check_finite(source, INPUTS, finite.without_zeros())


def _read(name: str, source: Source) -> Split:
    _check_rows(name, source)
    finite = FiniteCheck()
    digests: list[bytes] = []
    targets: list[Any] = []
    weights: list[Tensor] = []
    padded = False
    for start in range(0, len(source), GROUP_SIZE):
        examples = source.read(slice(start, start + GROUP_SIZE))
        batch = source.join(examples)
        padded = padded or (source.pads and _is_padded(source, examples, batch.targets))
        for side, part in _sides(batch):
            check_dtypes(name, side, part)
            _check_finite(source, side, finite.update(side, part, start))
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
    """Refuse an empty split, and arrays that differ in their number of rows."""
    if isinstance(source, Arrays):
        inputs, *others = source.fields.as_tuple()
        for side, part in zip((TARGETS, WEIGHTS), others, strict=False):
            if len(part) != len(inputs):
                raise InputError(
                    f"The {name} data has {len(inputs):,} inputs and {len(part):,} {side}: pass "
                    "one per example.",
                    code="data.row_count",
                )
        for side, part in _sides(source.fields):
            check_dtypes(name, side, getattr(part, "parts", part))
    if not len(source):
        raise InputError(f"The {name} data is empty: pass at least one example.", code="data.empty")


def _check_finite(source: Source, side: str, index: int | None) -> None:
    """Refuse the example at `index`, if there is one."""
    if index is not None:
        raise InputError(
            f"The {source.name} {side} contain NaN or infinity in example {source.label(index)}: "
            "replace such numbers with finite ones, or leave the example out.",
            code="data.not_finite",
        )


def _check_repeats(name: str, source: Source, digests: list[bytes]) -> None:
    """Refuse examples that differ when they are read again."""
    if isinstance(source, Arrays) or not source.rereads:
        return
    groups = np.linspace(0, len(digests) - 1, min(REREAD_GROUPS, len(digests)), dtype=int)
    for number in groups.tolist():
        again = source.join(source.read(slice(number * GROUP_SIZE, (number + 1) * GROUP_SIZE)))
        if group_digest(again.inputs, again.targets) != digests[number]:
            augment = ", and their random augmentation as augment=" if name == "train" else ""
            raise InputError(
                f"The {name} data differs each time it is read: pass the unchanged "
                f"examples{augment}; or read it once, with list(data).",
                code="data.changes_when_read",
            )


def _is_padded(source: Source, examples: Any, targets: Any) -> bool:
    """Whether targets are sequences that are longer in the batch than in a single example."""
    return _is_sequences(targets) and any(
        source.join([example]).targets.shape != targets[:1].shape for example in examples
    )


def _labels(source: Source, batches: list[Any], padded: bool) -> Any:
    """Return the targets as an array if they are numbers of one shape, else as a lazy view."""
    if isinstance(source, Arrays):
        return _array(source.fields.targets)
    joined = _joined(batches)
    if joined is not None and not padded:
        return _array(joined)
    labels = source.labels
    if not all(_is_sequences(batch) for batch in batches):
        return labels
    values = torch.cat([batch.flatten().long() for batch in batches]).unique().numpy()
    return PaddedRows(labels.get, labels.collate, labels.indices, values)


def _is_sequences(targets: Any) -> bool:
    """Whether targets are integers, one per position of a sequence."""
    matrix = isinstance(targets, Tensor) and targets.ndim == 2
    return matrix and not (targets.is_floating_point() or targets.dtype == torch.bool)


def _joined(batches: list[Any]) -> Tensor | None:
    """Return the targets of all batches as one tensor; None for boxes and the like."""
    first = batches[0]
    if not isinstance(first, Tensor) or first.dtype == torch.bool:
        return None
    same = all(isinstance(b, Tensor) and b.shape[1:] == first.shape[1:] for b in batches)
    return torch.cat(batches) if same else None


def _array(labels: Any) -> Any:
    """Return labels as an array, without copying if possible."""
    if not isinstance(labels, Tensor):
        return labels
    labels = labels.detach()
    return (labels.float() if labels.dtype == torch.bfloat16 else labels).numpy()


def _weights(name: str, weights: Any) -> Tensor:
    """Return the weights of a batch as float32 [b].

    Raises
    ------
    InputError
        If they are not floating-point numbers ≥ 0, one per example.
    """
    values = torch.from_numpy(weights) if isinstance(weights, np.ndarray) else weights
    floats = isinstance(values, Tensor) and values.is_floating_point() and values.ndim
    if not floats or values.numel() != len(values) or bool((values < 0).any()):
        raise InputError(
            f"The third part of the {name} data is {brief(weights)}: pass a weight ≥ 0 for each "
            "example, as a floating-point number; or several inputs as ((a, b), target).",
            code="data.invalid_weights",
        )
    return values.detach().float().reshape(-1)


def _all_weights(name: str, weights: list[Tensor]) -> Any:
    if not weights:
        return None
    joined = torch.cat(weights)
    if not bool(joined.any()):
        raise InputError(
            f"All weights of the {name} data are 0: pass at least one positive weight.",
            code="data.invalid_weights",
        )
    return joined.numpy()
