"""What a batch or an example of a person's data holds: inputs, targets, weights."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from workbench.errors import WorkbenchError
from workbench.recipe.schema import brief

TARGET_KEYS = ("labels", "label", "targets", "target")
"""Keys of the targets in a batch that is a dict; the rest of it are inputs by name."""


@dataclass(frozen=True)
class Fields:
    """Inputs and targets of one example or of several, and their weights where there are any."""

    inputs: Any
    targets: Any
    weights: Any = None

    def as_tuple(self) -> tuple[Any, ...]:
        """Return what is there, in order."""
        return (self.inputs, self.targets, *(() if self.weights is None else (self.weights,)))


def input_names(module: nn.Module) -> frozenset[str]:
    """Return the names under which a module takes its inputs."""
    try:
        parameters = inspect.signature(module.forward).parameters.values()
    except (TypeError, ValueError):  # compiled code tells nothing of its parameters
        return frozenset()
    any_number = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    return frozenset(one.name for one in parameters if one.kind not in any_number)


def fields_of(what: str, value: Any, names: frozenset[str] = frozenset()) -> Fields:
    """Take a batch or an example apart.

    Parameters
    ----------
    what
        What `value` is, to begin a sentence with.
    value
        ``(inputs, targets)``, ``(inputs, targets, weights)``, or a dict with the targets under one
        of `TARGET_KEYS`. The rest of a dict are inputs by name; a single one goes by position
        unless its name is among `names`.

    Raises
    ------
    WorkbenchError
        When it is none of these.
    """
    if isinstance(value, Mapping):
        return _of_mapping(what, value, names)
    if isinstance(value, tuple | list) and len(value) in {2, 3}:
        return Fields(*value)
    raise WorkbenchError(
        f"{what} is no pair (inputs, target) but {brief(value)}: give pairs, triples (inputs, "
        "target, weight), or dicts with the target under labels."
    )


def _of_mapping(what: str, value: Mapping[Any, Any], names: frozenset[str]) -> Fields:
    keys = [key for key in TARGET_KEYS if key in value]
    inputs = {key: one for key, one in value.items() if key not in keys}
    if len(keys) != 1 or not inputs:
        found = f"the keys {', '.join(map(str, value))}"
        raise WorkbenchError(
            f"{what} is a dict with {found}: give inputs under their names and the targets under "
            f"one of {', '.join(TARGET_KEYS)}."
        )
    only = next(iter(inputs))
    by_position = len(inputs) == 1 and only not in names
    return Fields(inputs[only] if by_position else inputs, value[keys[0]])


def is_array(value: Any) -> bool:
    """Whether `value` is a tensor or an array with rows."""
    return isinstance(value, Tensor | np.ndarray) and value.ndim > 0


def is_batch(fields: Fields) -> bool:
    """Whether inputs and targets have as many rows: a batch, and not one example."""
    first, targets = _first(fields.inputs), fields.targets
    return is_array(targets) and is_array(first) and len(first) == len(targets)


def _first(inputs: Any) -> Any:
    parts = inputs.values() if isinstance(inputs, Mapping) else inputs
    several = isinstance(inputs, Mapping | tuple | list)
    return next(iter(parts), None) if several else inputs


def rows_of(name: str, fields: Fields) -> int:
    """Return how many examples a batch holds, whose inputs are tensors.

    Raises
    ------
    WorkbenchError
        When inputs are no tensors, or the parts of the batch have other numbers of rows.
    """
    inputs = fields.inputs
    named = isinstance(inputs, Mapping)
    parts = inputs if named else dict(enumerate([inputs] if isinstance(inputs, Tensor) else inputs))
    for key, part in parts.items():
        if not is_tensor(part):
            which = f"hold under {key!r}" if named else "are"
            raise WorkbenchError(
                f"The {name} inputs {which} {brief(part)}, which is no tensor: leave it out, or "
                "give a tensor, several, or a dict of tensors, with a row for each example."
            )
    counts = [len(part) for part in parts.values()]
    targets = fields.targets
    counts += [len(part) for part in (targets, fields.weights) if is_array(part)]
    if len(set(counts)) != 1:
        said = ", ".join(f"{count:,}" for count in counts)
        raise WorkbenchError(
            f"The parts of a batch of the {name} data have {said} rows: the first dimension of "
            "inputs and targets must count the examples."
        )
    return counts[0]


def is_tensor(value: Any) -> bool:
    """Whether `value` is a tensor with rows."""
    return isinstance(value, Tensor) and value.ndim > 0


def to_float32(inputs: Any) -> Any:
    """Return inputs with float64 as float32, which weights are."""
    if isinstance(inputs, Tensor):
        return inputs.float() if inputs.dtype == torch.float64 else inputs
    if isinstance(inputs, Mapping):
        return {name: to_float32(one) for name, one in inputs.items()}
    return tuple(map(to_float32, inputs)) if isinstance(inputs, tuple | list) else inputs
