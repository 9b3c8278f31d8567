"""The model of a file that describes its network and its data: it runs without any other file."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from torch import nn

from workbench.artifact.artifact import Artifact
from workbench.cache.memory import Lifetime
from workbench.custom.prediction.description import Description
from workbench.custom.prediction.network import MAX_SIZE, Layers, build_layers, check_layers
from workbench.domain import Model, Split, Task
from workbench.domain.file_match import check_fit
from workbench.domain.metric import ACCURACY, R2
from workbench.domain.model import Architecture
from workbench.domain.task import digest_of
from workbench.domain.user_architecture import UserSplit
from workbench.errors import ArtifactError, RecipeError

LIVE_ACTIVATIONS = 3
"""The outputs of so many layers are in memory at a time, at most."""


@dataclass(frozen=True)
class FileArchitecture(Architecture):
    """A network that a file describes; its weights are in the file only.

    Attributes
    ----------
    layers : list
        The layers, which were checked.
    """

    layers: Layers = field(default_factory=list, compare=False)
    lifetime: Lifetime = field(default_factory=Lifetime, compare=False, repr=False)

    def build(self) -> nn.Module:
        """Return the network on the meta device.

        Raises
        ------
        RecipeError
            If another width or depth is requested.
        """
        if self.width != 1 or self.left_out:
            raise RecipeError(
                f"{self.name} cannot be built with another width or depth.",
                code="recipe.fixed_architecture",
            )
        return build_layers(self.layers)

    @property
    def most_left_out(self) -> int:
        """Zero: no layer can be omitted."""
        return 0


def file_model(artifact: Artifact) -> Model:
    """Return the model of a file that describes its network, without data or original weights.

    Its task has the classes of the file. Its only split, "validation", is one empty example, which
    gives the shape of the inputs.

    Raises
    ------
    ArtifactError
        If the file has no such description, or its tensors do not fit it.
    """
    if artifact.preprocessing is None:
        raise ArtifactError(
            f"The file of {artifact.model} does not say how to read new data: only files of models "
            "that were trained on a table, on pictures or on texts do. Use wb.to_module(file) and "
            "run the network on tensors.",
            code="artifact.no_preprocessing",
        )
    description = Description.from_dict(artifact.preprocessing)
    is_image = description.kind == "images"
    example = _picture(description) if is_image else (_features(description.network),)
    model = _model(artifact.model, description, example)
    check_fit(model, artifact)
    return model


def _model(name: str, description: Description, example: tuple[int, ...]) -> Model:
    examples = np.zeros((1, *example), np.uint8 if description.kind == "images" else np.float32)
    labels = np.zeros(1, np.int64 if description.classes else np.float32)
    split = Split("validation", examples, labels, digest_of(examples, labels))
    title = name.rpartition("/")[2]
    task = Task(
        name=name,
        title=title,
        classes=description.classes,
        source="",
        license="",
        sources=(UserSplit(split),),
        input_type="image" if description.kind == "images" else "custom",
        metric=ACCURACY if description.classes else R2,
    )
    cost = check_layers(description.network, tuple(task.inputs(examples).shape[1:]))
    live = 64 * LIVE_ACTIVATIONS * 4 * cost.activations
    architecture = FileArchitecture(name, task, title, layers=description.network)
    return Model(architecture, {"macs": cost.macs, "peak_memory": live})


def _features(network: Layers) -> int:
    """Return the number of inputs of a network for tables."""
    match network:
        case [["linear", int(inputs), *_], *_] if type(inputs) is int and 0 < inputs <= MAX_SIZE:
            return inputs
    raise ArtifactError(
        "The file's description of its inputs is damaged: download or save the file again.",
        code="artifact.invalid_preprocessing",
    )


def _picture(description: Description) -> tuple[int, ...]:
    """Return the shape of a picture as it is stored: [size, size], or [size, size, 3]."""
    from workbench.custom.pictures.preprocessing import PicturePreprocessing

    return PicturePreprocessing.from_dict(description.data).shape
