"""Names of layers, parameters and operations for messages."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

ELEMENTWISE = (
    "Abs", "AccumulateGrad", "AdaptiveAvgPool", "AdaptiveMaxPool", "Add", "Alias", "AvgPool",
    "Celu", "Clamp", "Clone", "ConstantPad", "Convolution", "Div", "Elu", "Gelu", "Hard",
    "LeakyRelu", "Max", "Mish", "Mul", "NativeDropout", "Neg", "Pow", "ReflectionPad", "Relu",
    "Replication", "Rsqrt", "Rsub", "Sigmoid", "Silu", "Softplus", "Sqrt", "Sub", "Tanh",
    "ToCopy", "Upsample",
)  # fmt: skip
"""Name prefixes of operations that treat every channel separately and in the same way."""
RESHAPING = ("Mean", "Sum", "Squeeze", "Unsqueeze", "Transpose", "Permute")
"""Operations that mostly move elements. They are named only if there are no others."""
OPERATION = "an operation"
MOST_NAMED = 3
"""The largest number of operations in a message."""


class DisplayNames:
    """The names of the parts of `module`.

    Attributes
    ----------
    paths : dict
        The path of each submodule.
    tensors : dict
        Parameters and buffers by name; tied ones once.
    """

    def __init__(self, module: nn.Module) -> None:
        self.paths = {layer: path for path, layer in module.named_modules()}
        self.tensors: dict[str, Tensor] = {
            **dict(module.named_parameters()),
            **dict(module.named_buffers()),
        }
        self._parameters = {id(tensor): name for name, tensor in self.tensors.items()}
        self._producers: dict[Any, str] = {}

    def path(self, part: Any) -> str | None:
        """Return the path of a module or the name of a parameter; None for anything else."""
        if isinstance(part, nn.Parameter):
            return self._parameters.get(id(part))
        return self.paths.get(part)

    def has_plain_weight(self, layer: Any) -> bool:
        """Return whether the weight of a layer, if it has one, is a parameter and not computed."""
        if isinstance(layer, nn.Parameter):
            return True
        weight = "weight" in layer._parameters  # noqa: SLF001 - has no public name
        return weight or getattr(layer, "weight", None) is None

    def kind(self, layer: Any) -> str:
        """Return the class name of a layer, or the name of a lone parameter."""
        if isinstance(layer, nn.Parameter):
            return self.path(layer) or "a parameter"
        kind = _class(layer)
        computed = " (its weight is computed from others)"
        return self.blocks(layer) or kind + computed * (not self.has_plain_weight(layer))

    def blocks(self, layer: Any) -> str:
        """Return the class name of a layer that works on groups of channels, else ""."""
        groups = getattr(layer, "num_groups", getattr(layer, "groups", 1))
        grouped = isinstance(layer, nn.Module) and isinstance(groups, int) and groups > 1
        return f"{_class(layer)} ({groups} groups)" if grouped else ""

    def weights(self, layer: nn.Module) -> tuple[str, ...]:
        """Return the name of a layer's weight, or of the parameters that it is computed from."""
        path = self.paths[layer]
        weight = f"{path}.weight".strip(".")
        inside = (n for n, t in self.tensors.items() if n.startswith(f"{path}.") and t.ndim > 1)
        return (weight,) if weight in self.tensors else tuple(inside)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Record which layer each operation inside the context belongs to."""
        hooks = [layer.register_forward_hook(self._hook()) for layer in self.paths]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def operation(self, node: Any) -> str:
        """Return the name of a node's layer or operation; empty if it is elementwise."""
        name = (
            node.grad_fn.name().rpartition("Backward")[0] if hasattr(node.grad_fn, "name") else ""
        )
        elementwise = name.startswith(ELEMENTWISE) or name == "T"  # the transpose of a weight
        return "" if elementwise else self._producers.get(node.grad_fn, name)

    def _hook(self) -> Callable[[nn.Module, Any, Any], None]:
        def hook(layer: nn.Module, _inputs: Any, outputs: Any) -> None:
            first = outputs[0] if isinstance(outputs, tuple | list) and outputs else outputs
            is_leaf = not [*layer.children()]
            if is_leaf and isinstance(first, Tensor) and first.grad_fn is not None:
                self._producers.setdefault(first.grad_fn, type(layer).__name__)

        return hook


def _class(layer: nn.Module) -> str:
    """Return a layer's class name, followed by the PyTorch class that it derives from."""
    name = type(layer).__name__
    base = next(c.__name__ for c in type(layer).__mro__ if c.__module__.startswith("torch.nn."))
    return name if base == nn.Module.__name__ or base in name else f"{name} ({base})"


def mixing_operations(coupled: Any, names: DisplayNames) -> str:
    """Return the operations between the layers of a group that may mix its channels."""
    nodes = (item.dep.target for item in coupled)
    operations = (names.operation(node) for node in nodes if names.path(node.module) is None)
    unique = [*dict.fromkeys(name for name in operations if name)]
    mixing = [name for name in unique if name not in RESHAPING]
    return ", ".join((mixing or unique)[:MOST_NAMED]) or OPERATION


def summarize_error(error: Exception) -> str:
    """Return the class of an error and the first line of its message, if any."""
    first = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {first}".removesuffix(": ")


def failing_module(error: Exception) -> str:
    """Return the class of the module whose forward raised an error, and a summary of the error."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    classes = [
        type(frame.f_locals["self"]).__name__
        for frame in frames
        if frame.f_code.co_name == "forward" and isinstance(frame.f_locals.get("self"), nn.Module)
    ]
    return ": ".join([*classes[-1:], summarize_error(error)])
