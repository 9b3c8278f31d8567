"""The network of a compressed file, as it is exported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from workbench.artifact.artifact import Artifact
from workbench.artifact.module_spec import ModuleSpec
from workbench.deploy.entry import inputs_of
from workbench.domain import Model, Task
from workbench.runtime.batch import Batch
from workbench.runtime.guard import guarded, needs_guard
from workbench.runtime.nested import map_tensors
from workbench.zoo.registry import model as find_model
from workbench.zoo.to_module import artifact_to_module, decoded_module


@dataclass(frozen=True)
class Network:
    """The network of a file: a module with decoded weights, and what the file says of it.

    Attributes
    ----------
    module : nn.Module
        In eval mode, with the weights of the file.
    model : Model
        The model that was compressed.
    artifact : Artifact
        The file.
    """

    module: nn.Module
    model: Model
    artifact: Artifact

    @property
    def task(self) -> Task:
        """The task of the model."""
        return self.model.task

    @property
    def spec(self) -> ModuleSpec:
        """What in the module differs from the model's own."""
        return self.artifact.spec

    @cached_property
    def reference(self) -> nn.Module:
        """The network of the file, which rounds inputs, biases and outputs as the file says.

        Unlike `module`, it runs on any batch as the model does, and leaves its inputs as they are.
        """
        traits = self.model.architecture.traits
        if not (self.spec.inputs or needs_guard(traits)):
            return self.module
        return guarded(artifact_to_module(self.artifact).eval(), traits)

    @cached_property
    def operands(self) -> dict[str, Tensor]:
        """The decoded weights by name."""
        return self.artifact.operands()

    def inputs(self, count: int) -> Batch:
        """Return the inputs for the first validation examples, repeated if there are too few."""
        examples = self.task.split("validation").examples
        rows = [row % len(examples) for row in range(count)]
        return inputs_of(self.task, examples[rows])


def exported_network(artifact: Artifact) -> Network:
    """Return the network of a file.

    Raises
    ------
    UnknownNameError
        If the model of the file is unknown.
    """
    module, model = decoded_module(artifact).eval(), find_model(artifact.model)
    if model.architecture.traits.mutates_inputs:
        setattr(module, "forward", _on_copies(module.forward))  # noqa: B010 - a method
    return Network(module, model, artifact)


def _on_copies(forward: Callable[..., Any]) -> Callable[..., Any]:
    """Return a forward pass that gives `forward` copies of its tensors, which that writes to."""

    @wraps(forward)
    def run(*args: Tensor, **kwargs: Tensor) -> Any:
        return forward(*map_tensors(Tensor.clone, args), **map_tensors(Tensor.clone, kwargs))

    return run


def is_parametrized(module: nn.Module) -> bool:
    """Return whether weights of a module are computed from other tensors in each call."""
    return any(parametrize.is_parametrized(layer) for layer in module.modules())


def with_values(module: nn.Module) -> nn.Module:
    """Store the values of the parametrized weights of a private `module`, and return it.

    In eval mode they are constants. No runtime has the operators that compute some of them.
    """
    for layer in [*module.modules()]:
        if not parametrize.is_parametrized(layer):
            continue
        names = [*cast("nn.ModuleDict", layer.parametrizations)]
        with torch.no_grad():
            values = [getattr(layer, name).detach().clone() for name in names]
        # `remove_parametrizations` changes the class, which copies of the module share
        layer.__class__ = parametrize.type_before_parametrizations(layer)
        del layer.parametrizations
        for name, value in zip(names, values, strict=True):
            layer.register_parameter(name, nn.Parameter(value, requires_grad=False))
    return module
