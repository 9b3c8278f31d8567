"""The names of a network's layers, parameters and operations, as a person knows them."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

ALIKE = (
    "Abs", "AccumulateGrad", "AdaptiveAvgPool", "AdaptiveMaxPool", "Add", "Alias", "AvgPool",
    "Celu", "Clamp", "Clone", "ConstantPad", "Convolution", "Div", "Elu", "Gelu", "Hard",
    "LeakyRelu", "Max", "Mish", "Mul", "NativeDropout", "Neg", "Pow", "ReflectionPad", "Relu",
    "Replication", "Rsqrt", "Rsub", "Sigmoid", "Silu", "Softplus", "Sqrt", "Sub", "Tanh",
    "ToCopy", "Upsample",
)  # fmt: skip
"""Beginnings of the names of operations that treat every channel by itself, and alike."""
PLACES = ("Mean", "Sum", "Squeeze", "Unsqueeze", "Transpose", "Permute")
"""Operations that are mostly about places: named only where there are no others."""
OPERATION = "an operation"
MOST = 3
"""How many operations are named."""


class DisplayNames:
    """What the parts of `module` are called.

    Attributes
    ----------
    paths : dict
        Of each module inside, its path.
    tensors : dict
        Parameters and buffers by name, tied ones once.
    """

    def __init__(self, module: nn.Module) -> None:
        self.paths = {layer: path for path, layer in module.named_modules()}
        self.tensors: dict[str, Tensor] = {
            **dict(module.named_parameters()),
            **dict(module.named_buffers()),
        }
        self._parameters = {id(tensor): name for name, tensor in self.tensors.items()}
        self._makers: dict[Any, str] = {}

    def path(self, part: Any) -> str | None:
        """Return the path of a module or the name of a parameter; None of anything else."""
        if isinstance(part, nn.Parameter):
            return self._parameters.get(id(part))
        return self.paths.get(part)

    def own_weights(self, layer: Any) -> bool:
        """Return whether the weight of a layer, if it has one, is a parameter of its own."""
        if isinstance(layer, nn.Parameter):
            return True
        weight = "weight" in layer._parameters  # noqa: SLF001 - has no public name
        return weight or getattr(layer, "weight", None) is None

    def kind(self, layer: Any) -> str:
        """Return the name of a layer's class; of a parameter alone, its own."""
        if isinstance(layer, nn.Parameter):
            return self.path(layer) or "a parameter"
        kind = _class(layer)
        computed = " (its weight is computed from others)"
        return self.blocks(layer) or kind + computed * (not self.own_weights(layer))

    def blocks(self, layer: Any) -> str:
        """Return the name of the class of a layer that works on groups of channels, else none."""
        groups = getattr(layer, "num_groups", getattr(layer, "groups", 1))
        working = isinstance(layer, nn.Module) and isinstance(groups, int) and groups > 1
        return f"{_class(layer)} ({groups} groups)" if working else ""

    def weights(self, layer: nn.Module) -> tuple[str, ...]:
        """Return the name of a layer's weight, or of those that it is computed from."""
        path = self.paths[layer]
        own = f"{path}.weight".strip(".")
        inside = (n for n, t in self.tensors.items() if n.startswith(f"{path}.") and t.ndim > 1)
        return (own,) if own in self.tensors else tuple(inside)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Remember which layer each operation belongs to, of all that is run meanwhile."""
        hooks = [layer.register_forward_hook(self._remember()) for layer in self.paths]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def operation(self, node: Any) -> str:
        """Return the name of an operation of the graph, that of its layer where it has one."""
        own = node.grad_fn.name().rpartition("Backward")[0] if hasattr(node.grad_fn, "name") else ""
        alike = own.startswith(ALIKE) or own == "T"  # of a weight
        return "" if alike else self._makers.get(node.grad_fn, own)

    def _remember(self) -> Callable[[nn.Module, Any, Any], None]:
        def hook(layer: nn.Module, _inputs: Any, outputs: Any) -> None:
            first = outputs[0] if isinstance(outputs, tuple | list) and outputs else outputs
            leaf = not [*layer.children()]
            if leaf and isinstance(first, Tensor) and first.grad_fn is not None:
                self._makers.setdefault(first.grad_fn, type(layer).__name__)

        return hook


def _class(layer: nn.Module) -> str:
    """Return the name of a layer's class, and of PyTorch's own that it derives from, if another."""
    own = type(layer).__name__
    base = next(c.__name__ for c in type(layer).__mro__ if c.__module__.startswith("torch.nn."))
    return own if base == nn.Module.__name__ or base in own else f"{own} ({base})"


def mixing_operations(coupled: Any, names: DisplayNames) -> str:
    """Return what lies between the layers of a group of the graph and may mix its channels."""
    nodes = (item.dep.target for item in coupled)
    found = (names.operation(node) for node in nodes if names.path(node.module) is None)
    every = [*dict.fromkeys(name for name in found if name)]
    mixing = [name for name in every if name not in PLACES]
    return ", ".join((mixing or every)[:MOST]) or OPERATION


def summarize_error(error: Exception) -> str:
    """Return the class of an error and the first line of what it says."""
    first = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {first}".removesuffix(": ")


def failing_module(error: Exception) -> str:
    """Return the class of the module whose forward raised an error, and the error."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    within = [
        type(frame.f_locals["self"]).__name__
        for frame in frames
        if frame.f_code.co_name == "forward" and isinstance(frame.f_locals.get("self"), nn.Module)
    ]
    return ": ".join([*within[-1:], summarize_error(error)])
