"""Keras models: their variables as parameters of a module, lent to Keras for each call."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from workbench.custom.loaders.optional_packages import require_package
from workbench.errors import WorkbenchError
from workbench.recipe.schema import brief


def from_keras(model: Any) -> nn.Module:
    """Return a Keras 3 model as a module, ready for `wb.from_module`; the weights stay where they are.

    Keras must run on PyTorch: set the environment variable ``KERAS_BACKEND=torch`` before it is
    first imported. A saved ``.keras`` file is loaded with ``keras.saving.load_model`` then. Targets
    and losses are those of PyTorch, so let the model end in logits, not in a softmax. Keras
    computes in float32 throughout.

    Raises
    ------
    WorkbenchError
        When Keras is not installed or runs on something else, or `model` is no built Keras model.
    """
    keras = require_package("keras", "A Keras model")
    if keras.backend.backend() != "torch":
        raise WorkbenchError(
            f"Keras runs on {keras.backend.backend()} here: set the environment variable "
            "KERAS_BACKEND=torch before keras is imported, and load the model again."
        )
    if not isinstance(model, keras.Model):
        raise WorkbenchError(f"Give a keras.Model, not {brief(model)}.")
    if not model.built:
        raise WorkbenchError("The Keras model is not built yet: call it once on some inputs first.")
    variables = [one for one in model.variables if _is_weight(one)]
    if any(one.value.device.type != "cpu" for one in variables):
        raise WorkbenchError(
            "The Keras model lies on another device: make or load it inside "
            'keras.device("cpu"), where files are judged.'
        )
    return KerasModule(_Lender(keras, model, variables)).eval()


class KerasModule(nn.Module):
    """A Keras model whose weights lie where a module's lie: ``weights.dense.kernel``."""

    def __init__(self, lender: _Lender) -> None:
        super().__init__()
        self.lender = lender
        self.weights = nn.Module()
        self.places = [_hold(self.weights, one) for one in lender.variables]

    def forward(self, *inputs: Tensor, **named: Tensor) -> Any:
        """Return what the Keras model returns outside training."""
        values = [getattr(self.weights.get_submodule(path), leaf) for path, leaf in self.places]
        return self.lender.call(values, named or (inputs[0] if len(inputs) == 1 else list(inputs)))


class _Lender:
    """Calls a Keras model with other values for its variables.

    Its layers look variables up by themselves, so that swapping parameters would not reach them.
    Keras's own way, a stateless scope, holds in the calling thread alone: one model serves
    all copies of a module, and is not copied with them.
    """

    computes_with_lent = True

    def __init__(self, keras: Any, model: Any, variables: list[Any]) -> None:
        self.keras = keras
        self.model = model
        self.variables = variables

    def __deepcopy__(self, memo: dict[int, Any]) -> _Lender:
        return self

    def call(self, values: list[Tensor], inputs: Any) -> Any:
        """Return the outputs with `values` for the variables."""
        pairs = list(zip(self.variables, values, strict=True))
        with self.keras.device("cpu"), self.keras.StatelessScope(state_mapping=pairs):
            return self.model(inputs, training=False)


def _is_weight(variable: Any) -> bool:
    """Whether a variable holds numbers, not the state of a random generator or a counter."""
    return bool(torch.is_floating_point(variable.value))


def _hold(root: nn.Module, variable: Any) -> tuple[str, str]:
    """Register a variable's tensor under its path, and return the path and its last part."""
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


def _free(name: str, node: nn.Module, fine: Any) -> str:
    """Return `name`, longer where the node means something else by it."""
    while hasattr(node, name) and name not in fine:
        name += "_"
    return name
