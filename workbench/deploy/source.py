"""The network of a compressed file, as it is exported."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor, nn

from workbench.artifact.artifact import Artifact
from workbench.artifact.module_spec import ModuleSpec
from workbench.domain import Model, Task
from workbench.errors import InputError
from workbench.i18n import _
from workbench.zoo.registry import model as find_model
from workbench.zoo.to_module import artifact_to_module


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
    def operands(self) -> dict[str, Tensor]:
        """The decoded weights by name."""
        return self.artifact.operands()

    def inputs(self, count: int) -> Tensor:
        """Return the inputs for the first validation examples, repeated if there are too few.

        Raises
        ------
        InputError
            If the module takes anything but one tensor.
        """
        examples = self.task.split("validation").examples
        rows = [row % len(examples) for row in range(count)]
        inputs = self.task.inputs(examples[rows])
        if not isinstance(inputs, Tensor):
            raise InputError(
                "The module takes several inputs: only a module with one tensor can be exported.",
                code="deploy.several_inputs",
            )
        return inputs


def exported_network(artifact: Artifact) -> Network:
    """Return the network of a file.

    Raises
    ------
    InputError
        If its inputs are quantized: the runtime would compute with other numbers.
    UnknownNameError
        If the model of the file is unknown.
    """
    if artifact.spec.inputs:
        raise InputError(
            "The file quantizes the inputs of layers, which cannot be exported yet: leave out "
            "the recipe's activations.",
            code="deploy.quantized_inputs",
        )
    module = artifact_to_module(artifact).eval()
    return Network(module, find_model(artifact.model), artifact)


def storage_notes(artifact: Artifact) -> tuple[str, ...]:
    """Return why the package is larger than the file."""
    recipe, notes = artifact.recipe, []
    if recipe.prune is not None:
        notes.append(_("Zeros are stored like any other number: runtimes multiply them too."))
    if recipe.share is not None:
        notes.append(_("Shared values are written out: no runtime here looks them up."))
    if recipe.quantize is not None:
        notes.append(_("Rounded weights are stored as 32-bit numbers of the same values."))
    return tuple(notes)
