"""Which parameters are read outside of the modules that they belong to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from inspect import getattr_static
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from workbench.parallel.rank.network import evaluating
from workbench.parallel.rank.strategy import Setup, run

EXAMPLES = 16
"""How many examples show which modules are called."""
FACTS = {
    getattr_static(Tensor, name).__get__ for name in ("dtype", "device", "layout", "requires_grad")
}
"""What is read of a parameter without its values or its shape."""


def read_outside(setup: Setup, owners: Mapping[int, nn.Module]) -> set[int]:
    """Return the parameters that are read while their owner's forward pass does not run.

    Parameters
    ----------
    owners
        The module of each parameter, by the parameter's id.
    """
    active: list[nn.Module] = []
    uses = _Uses(owners, active)
    module = setup.module
    with evaluating(module), _tracking(module, active), uses, torch.no_grad():
        run(module, setup.examples.sample[:1])
    return uses.outside


def steady(setup: Setup, modules: Sequence[nn.Module]) -> list[nn.Module]:
    """Return the modules that are called equally often, and in one order, for all examples.

    Ranks see different examples: they cannot meet in a module that some of them do not call, such
    as an expert that the values of an example choose.
    """
    numbers = {id(module): number for number, module in enumerate(modules)}
    calls: list[list[int]] = []
    handles = [
        module.register_forward_pre_hook(lambda m, _args: calls[-1].append(numbers[id(m)]))
        for module in modules
    ]
    try:
        with evaluating(setup.module), torch.no_grad():
            for number in range(min(EXAMPLES, len(setup.examples.sample_labels))):
                calls.append([])
                run(setup.module, setup.examples.sample[number : number + 1])
    finally:
        for handle in handles:
            handle.remove()
    steady_numbers = {n for n in numbers.values() if len({each.count(n) for each in calls}) == 1}
    orders = {tuple(n for n in each if n in steady_numbers) for each in calls}
    return [m for m in modules if numbers[id(m)] in steady_numbers] if len(orders) == 1 else []


class _Uses(TorchFunctionMode):
    """Notes the parameters that are read outside of the forward pass of their owner."""

    def __init__(self, owners: Mapping[int, nn.Module], active: Sequence[nn.Module]) -> None:
        super().__init__()
        self._owners, self._active = owners, active
        self.outside: set[int] = set()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        for value in () if func in FACTS else _values((*args, *(kwargs or {}).values())):
            owner = self._owners.get(id(value))
            if owner is not None and not any(owner is layer for layer in self._active):
                self.outside.add(id(value))
        return func(*args, **(kwargs or {}))


def _values(arguments: Sequence[Any]) -> Iterator[Any]:
    """Yield arguments, and the elements of lists such as those of `torch.cat` and of a GRU."""
    for value in arguments:
        if isinstance(value, list | tuple):
            yield from value
        else:
            yield value


@contextmanager
def _tracking(module: nn.Module, active: list[nn.Module]) -> Iterator[None]:
    """Keep in `active` the layers whose forward pass runs."""
    handles = []
    for layer in module.modules():
        handles.append(
            layer.register_forward_pre_hook(lambda layer, _args: active.append(layer), prepend=True)
        )
        handles.append(layer.register_forward_hook(lambda *_args: _drop(active)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _drop(active: list[nn.Module]) -> None:
    active.pop()
