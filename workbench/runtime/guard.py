"""Private copies of user modules, guarded: what they are lent stays as it was."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from workbench.runtime.attributes import AttributeSnapshot
from workbench.runtime.batch import outputs_of
from workbench.runtime.traits import Traits


def guarded(module: nn.Module, traits: Traits) -> nn.Module:
    """Return `module`, which nobody else has, so that callers need not know of its `traits`.

    It is run on copies of inputs and buffers that it writes to, without what earlier runs left in
    its attributes, on a single example twice where it does not take a batch of one, and with
    autograd where its forward differentiates.
    """
    writes = traits.mutates_inputs or traits.mutated_tensors or traits.mutates_attributes
    if writes or not traits.single_example or traits.uses_autograd:
        module.forward = _Guard(module, traits)
    return module


class _Guard:
    """The forward of a guarded module."""

    def __init__(self, module: nn.Module, traits: Traits) -> None:
        self.module = module
        self.traits = traits
        self.forward = module.forward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        traits = self.traits
        if traits.mutates_inputs:
            args, kwargs = _changed(args, Tensor.clone), _changed(kwargs, Tensor.clone)
        for (
            name
        ) in traits.mutated_tensors:  # the lent ones; who lends them puts the module's own back
            path, _, leaf = name.rpartition(".")
            owner = self.module.get_submodule(path)
            of_buffers = leaf in owner._buffers  # noqa: SLF001 - has no public name
            held: dict[str, Any] = owner._buffers if of_buffers else owner._parameters  # noqa: SLF001
            held[leaf] = held[leaf].clone()
        single = not traits.single_example and _size(args, kwargs) == 1
        if single:
            args, kwargs = _changed(args, _twice), _changed(kwargs, _twice)
        hidden = traits.uses_autograd and not torch.is_grad_enabled()
        attributes = AttributeSnapshot(self.module) if traits.mutates_attributes else None
        try:
            with torch.enable_grad() if hidden else nullcontext():
                outputs = self.forward(*args, **kwargs)
        finally:
            if attributes is not None:
                attributes.restore()
        if hidden:
            outputs = _changed(outputs_of(outputs), Tensor.detach)
        return first_examples(outputs_of(outputs), 1) if single else outputs


def _size(args: Any, kwargs: Mapping[str, Any]) -> int:
    """Return the number of examples of a batch."""
    tensors = [one for one in (*args, *kwargs.values()) if isinstance(one, Tensor) and one.ndim]
    return max((len(one) for one in tensors), default=0)


def _twice(tensor: Tensor) -> Tensor:
    return torch.cat([tensor, tensor]) if tensor.ndim and len(tensor) == 1 else tensor


def first_examples(outputs: Any, examples: int) -> Any:
    """Return the outputs of the first examples of a batch: rows of tensors, entries of lists.

    Of a tensor without axes, nothing can be left out.
    """
    if isinstance(outputs, list):
        return outputs[:examples]
    return _changed(outputs, lambda tensor: tensor[:examples] if tensor.ndim else tensor)


def _changed(value: Any, change: Any) -> Any:
    """Return `value` with `change` applied to all tensors in it; other objects stay."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_changed(one, change) for one in value))
    if isinstance(value, tuple | list):
        return type(value)(_changed(one, change) for one in value)
    if isinstance(value, dict):
        return {name: _changed(one, change) for name, one in value.items()}
    return value
