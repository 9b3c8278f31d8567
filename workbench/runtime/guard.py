"""Guards for user modules that change their inputs, tensors or attributes when they run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from workbench.runtime.attributes import AttributeSnapshot
from workbench.runtime.batch import in_memory_order, outputs_of
from workbench.runtime.nested import map_tensors
from workbench.runtime.traits import Traits


def guarded(module: nn.Module, traits: Traits) -> nn.Module:
    """Wrap the forward of a private `module` so that callers can ignore its `traits`.

    Inputs and saved tensors that it writes to are copied, weights get the memory order that its
    outputs depend on, and its attributes are restored after each run. A single example is
    duplicated if it cannot run on a batch of one. Autograd is enabled if its forward pass needs it.
    """
    if needs_guard(traits):
        module.forward = _Guard(module, traits)
    return module


def needs_guard(traits: Traits) -> bool:
    """Return whether `guarded` changes a module with these `traits`."""
    mutates = traits.mutates_inputs or traits.mutated_tensors or traits.mutates_attributes
    others = traits.weight_orders or not traits.single_example or traits.uses_autograd
    return bool(mutates or others)


class _Guard:
    """The forward of a guarded module."""

    def __init__(self, module: nn.Module, traits: Traits) -> None:
        self.module = module
        self.traits = traits
        self.forward = module.forward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        traits = self.traits
        if traits.mutates_inputs:
            args, kwargs = map_tensors(Tensor.clone, args), map_tensors(Tensor.clone, kwargs)
        for name in traits.mutated_tensors:  # the caller restores the module's tensors
            self._replace(name, Tensor.clone)
        for name, order in traits.weight_orders:
            self._replace(name, partial(in_memory_order, order=order))
        single = not traits.single_example and _size(args, kwargs) == 1
        if single:
            args, kwargs = map_tensors(_twice, args), map_tensors(_twice, kwargs)
        enable_grad = traits.uses_autograd and not torch.is_grad_enabled()
        attributes = AttributeSnapshot(self.module) if traits.mutates_attributes else None
        try:
            with torch.enable_grad() if enable_grad else nullcontext():
                outputs = self.forward(*args, **kwargs)
        finally:
            if attributes is not None:
                attributes.restore()
        if enable_grad:
            outputs = map_tensors(Tensor.detach, outputs_of(outputs))
        return first_examples(outputs_of(outputs), 1) if single else outputs

    def _replace(self, name: str, function: Callable[[Tensor], Tensor]) -> None:
        """Apply `function` to the saved tensor `name`."""
        path, _, leaf = name.rpartition(".")
        owner = self.module.get_submodule(path)
        is_buffer = leaf in owner._buffers  # noqa: SLF001 - has no public name
        tensors: dict[str, Any] = owner._buffers if is_buffer else owner._parameters  # noqa: SLF001
        tensors[leaf] = function(tensors[leaf])


def _size(args: Any, kwargs: Mapping[str, Any]) -> int:
    """Return the number of examples in a batch."""
    values = (*args, *kwargs.values())
    return max((len(v) for v in values if isinstance(v, Tensor) and v.ndim), default=0)


def _twice(tensor: Tensor) -> Tensor:
    return torch.cat([tensor, tensor]) if tensor.ndim and len(tensor) == 1 else tensor


def first_examples(outputs: Any, examples: int) -> Any:
    """Return the outputs of the first examples: rows of tensors or entries of a list.

    A tensor without axes is returned unchanged.
    """
    if isinstance(outputs, list):
        return outputs[:examples]
    return map_tensors(lambda tensor: tensor[:examples] if tensor.ndim else tensor, outputs)
