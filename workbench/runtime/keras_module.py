"""Keras models as modules: their variables are parameters, passed to Keras at each call."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class KerasModule(nn.Module):
    """A Keras model with its weights as parameters of a module: ``weights.dense.kernel``.

    Parameters
    ----------
    keras
        The package, with the PyTorch backend.
    model
        A built model. Its weights are shared.
    """

    def __init__(self, keras: Any, model: Any) -> None:
        super().__init__()
        variables = [variable for variable in model.variables if _is_weight(variable)]
        self.stateless = StatelessModel(keras, model, variables)
        self.weights = nn.Module()
        self.paths = [_register(self.weights, variable) for variable in variables]

    def forward(self, *inputs: Tensor, **named: Tensor) -> Any:
        """Return the outputs of the Keras model in inference mode."""
        return self.stateless.call(
            self.values(), named or (inputs[0] if len(inputs) == 1 else list(inputs))
        )

    def values(self) -> list[Tensor]:
        """Return the weights of this module in the order of the Keras model's variables."""
        return [getattr(self.weights.get_submodule(path), leaf) for path, leaf in self.paths]


class StatelessModel:
    """Uses a Keras model with other values for its variables.

    Keras layers access their variables directly, so swapping the module's parameters would have no
    effect. A stateless scope replaces them in the calling thread only, so all copies of a module
    share one Keras model.
    """

    uses_only_given_weights = True

    def __init__(self, keras: Any, model: Any, variables: list[Any]) -> None:
        self.keras = keras
        self.model = model
        self.variables = variables

    def __deepcopy__(self, memo: dict[int, Any]) -> StatelessModel:
        return self

    def call(self, values: list[Tensor], inputs: Any) -> Any:
        """Return the outputs for `values` of the variables."""
        with self.keras.device("cpu"), self.scope(values):
            return self.model(inputs, training=False)

    def scope(self, values: list[Tensor]) -> Any:
        """Return a context in which the variables have `values`, in this thread only."""
        pairs = list(zip(self.variables, values, strict=True))
        return self.keras.StatelessScope(state_mapping=pairs)


def _is_weight(variable: Any) -> bool:
    """Whether a variable is floating point, not the state of a random generator or a counter."""
    return bool(torch.is_floating_point(variable.value))


def _register(root: nn.Module, variable: Any) -> tuple[str, str]:
    """Register a variable's tensor under its path, and return the module path and the name."""
    *folders, leaf = variable.path.replace(".", "_").split("/")
    node, path = root, []
    for folder in folders:
        path.append(_free(folder, node, node._modules))  # noqa: SLF001 - has no public name
        if path[-1] not in node._modules:  # noqa: SLF001
            node.add_module(path[-1], nn.Module())
        node = node.get_submodule(path[-1])
    leaf = _free(leaf, node, {})
    if variable.trainable:
        node.register_parameter(leaf, variable.value)
    else:
        node.register_buffer(leaf, variable.value.detach())
    return ".".join(path), leaf


def _free(name: str, node: nn.Module, allowed: Any) -> str:
    """Return `name` with underscores appended until it hides no attribute of the node."""
    while hasattr(node, name) and name not in allowed:
        name += "_"
    return name
