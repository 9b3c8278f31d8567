"""Keras models as modules: their variables are parameters, passed to Keras at each call."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from workbench.custom.loaders.optional_packages import require_package
from workbench.errors import InputError
from workbench.recipe.schema import brief


def from_keras(model: Any) -> nn.Module:
    """Return a Keras 3 model as a module for `wb.from_module`, which shares its weights.

    Keras must use the PyTorch backend: set the environment variable ``KERAS_BACKEND=torch`` before
    the first import, then load a saved ``.keras`` file with ``keras.saving.load_model``. Targets
    and losses are those of PyTorch, so the model must end in logits, not in a softmax. Keras
    computes in float32 throughout.

    Raises
    ------
    InputError
        When Keras is not installed or uses another backend, or `model` is not a built Keras model.
    """
    keras = require_package("keras", "A Keras model")
    if keras.backend.backend() != "torch":
        raise InputError(
            f"Keras uses the backend {keras.backend.backend()}: set the environment variable "
            "KERAS_BACKEND=torch before keras is imported, and load the model again.",
            code="module.keras_backend",
        )
    if not isinstance(model, keras.Model):
        raise InputError(
            f"The model must be a keras.Model, not {brief(model)}.", code="module.invalid_type"
        )
    if not model.built:
        raise InputError(
            "The Keras model is not built yet: call it once on an input first.",
            code="module.not_built",
        )
    variables = [variable for variable in model.variables if _is_weight(variable)]
    if any(variable.value.device.type != "cpu" for variable in variables):
        raise InputError(
            "The Keras model is not on the CPU, where models are evaluated: create or load it "
            'inside keras.device("cpu").',
            code="module.wrong_device",
        )
    return KerasModule(_StatelessModel(keras, model, variables)).eval()


class KerasModule(nn.Module):
    """A Keras model with its weights as parameters of a module: ``weights.dense.kernel``."""

    def __init__(self, stateless: _StatelessModel) -> None:
        super().__init__()
        self.stateless = stateless
        self.weights = nn.Module()
        self.paths = [_register(self.weights, variable) for variable in stateless.variables]

    def forward(self, *inputs: Tensor, **named: Tensor) -> Any:
        """Return the outputs of the Keras model in inference mode."""
        values = [getattr(self.weights.get_submodule(path), leaf) for path, leaf in self.paths]
        return self.stateless.call(
            values, named or (inputs[0] if len(inputs) == 1 else list(inputs))
        )


class _StatelessModel:
    """Calls a Keras model with other values for its variables.

    Keras layers access their variables directly, so swapping the module's parameters would have no
    effect. A stateless scope replaces them in the calling thread only, so all copies of a module
    share one Keras model.
    """

    uses_only_given_weights = True

    def __init__(self, keras: Any, model: Any, variables: list[Any]) -> None:
        self.keras = keras
        self.model = model
        self.variables = variables

    def __deepcopy__(self, memo: dict[int, Any]) -> _StatelessModel:
        return self

    def call(self, values: list[Tensor], inputs: Any) -> Any:
        """Return the outputs for `values` of the variables."""
        pairs = list(zip(self.variables, values, strict=True))
        with self.keras.device("cpu"), self.keras.StatelessScope(state_mapping=pairs):
            return self.model(inputs, training=False)


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
