"""Split a batch or an example of user data into inputs, targets and weights."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from workbench.errors import InputError
from workbench.recipe.schema import brief

TARGET_KEYS = ("labels", "label", "targets", "target")
"""Keys of the targets in a batch that is a dict; all other entries are inputs by name."""


@dataclass(frozen=True)
class Fields:
    """Inputs, targets and optional weights of one or more examples."""

    inputs: Any
    targets: Any
    weights: Any = None

    def as_tuple(self) -> tuple[Any, ...]:
        """Return the fields that are present, in order."""
        return (self.inputs, self.targets, *(() if self.weights is None else (self.weights,)))


def input_names(module: nn.Module) -> frozenset[str]:
    """Return the argument names of a module's inputs."""
    try:
        parameters = inspect.signature(module.forward).parameters.values()
    except (TypeError, ValueError):  # compiled code has no signature
        return frozenset()
    variadic = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    return frozenset(p.name for p in parameters if p.kind not in variadic)


def fields_of(subject: str, value: Any, names: frozenset[str] = frozenset()) -> Fields:
    """Return the fields of a batch or an example.

    Parameters
    ----------
    subject
        What `value` is, to begin an error message with.
    value
        ``(inputs, targets)``, ``(inputs, targets, weights)``, or a dict with the targets under one
        of `TARGET_KEYS`. The other entries of a dict are inputs by name; a single input is passed
        by position unless its name is among `names`.

    Raises
    ------
    InputError
        If it is none of these.
    """
    if isinstance(value, Mapping):
        return _of_mapping(subject, value, names)
    if isinstance(value, tuple | list) and len(value) in {2, 3}:
        return Fields(*value)
    raise InputError(
        f"{subject} is not a pair (inputs, target) but {brief(value)}: pass pairs, triples "
        "(inputs, target, weight), or dicts with the target under labels.",
        code="data.not_a_pair",
    )


def _of_mapping(subject: str, value: Mapping[Any, Any], names: frozenset[str]) -> Fields:
    keys = [key for key in TARGET_KEYS if key in value]
    inputs = {key: field for key, field in value.items() if key not in keys}
    if len(keys) != 1 or not inputs:
        raise InputError(
            f"{subject} is a dict with the keys {', '.join(map(str, value))}: pass inputs by name "
            f"and the targets under one of {', '.join(TARGET_KEYS)}.",
            code="data.dict_keys",
        )
    only = next(iter(inputs))
    by_position = len(inputs) == 1 and only not in names
    return Fields(inputs[only] if by_position else inputs, value[keys[0]])


def is_array(value: Any) -> bool:
    """Whether `value` is a tensor or an array with rows."""
    return isinstance(value, Tensor | np.ndarray) and value.ndim > 0


def is_batch(fields: Fields) -> bool:
    """Whether inputs and targets have equally many rows, so that they are a batch of examples."""
    first, targets = _first(fields.inputs), fields.targets
    return is_array(targets) and is_array(first) and len(first) == len(targets)


def _first(inputs: Any) -> Any:
    parts = inputs.values() if isinstance(inputs, Mapping) else inputs
    several = isinstance(inputs, Mapping | tuple | list)
    return next(iter(parts), None) if several else inputs


def rows_of(name: str, fields: Fields) -> int:
    """Return the number of examples in a batch whose inputs are tensors.

    Raises
    ------
    InputError
        If an input is not a tensor, or the parts of the batch differ in their number of rows.
    """
    inputs = fields.inputs
    named = isinstance(inputs, Mapping)
    parts = inputs if named else dict(enumerate([inputs] if isinstance(inputs, Tensor) else inputs))
    for key, part in parts.items():
        if not is_tensor(part):
            which = f"contain under {key!r}" if named else "are"
            raise InputError(
                f"The {name} inputs {which} {brief(part)}, which is not a tensor: leave it out, or "
                "pass a tensor, several, or a dict of tensors, with one row per example.",
                code="data.not_tensors",
            )
    counts = [len(part) for part in parts.values()]
    targets = fields.targets
    counts += [len(part) for part in (targets, fields.weights) if is_array(part)]
    if len(set(counts)) != 1:
        raise InputError(
            f"The parts of a batch of the {name} data have "
            f"{', '.join(f'{count:,}' for count in counts)} rows: the first dimension of inputs "
            "and targets must be the number of examples.",
            code="data.row_count",
        )
    return counts[0]


def is_tensor(value: Any) -> bool:
    """Whether `value` is a tensor with rows."""
    return isinstance(value, Tensor) and value.ndim > 0


def to_float32(inputs: Any) -> Any:
    """Return inputs with float64 converted to float32, the dtype of the weights."""
    if isinstance(inputs, Tensor):
        return inputs.float() if inputs.dtype == torch.float64 else inputs
    if isinstance(inputs, Mapping):
        return {name: to_float32(value) for name, value in inputs.items()}
    return tuple(map(to_float32, inputs)) if isinstance(inputs, tuple | list) else inputs
