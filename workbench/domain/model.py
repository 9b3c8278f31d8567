"""Built-in models: an architecture, its trained weights, and the card that says what they are."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.artifact.module_spec import UNCHANGED, ModuleSpec
from workbench.cache.memory import FOREVER, Lifetime
from workbench.domain.task import Task
from workbench.domain.training_plan import TrainingPlan
from workbench.errors import WorkbenchError
from workbench.runtime.traits import BUILT_IN, Traits

if TYPE_CHECKING:
    from torch import Tensor, nn

    from workbench.compression.roles import Roles


PACKAGE = "workbench.zoo"
"""The package that holds the built-in networks, a module and a checkpoint for each."""


@dataclass(frozen=True)
class Architecture:
    """A network of the zoo, found from its name.

    ``fashion/lenet-300-100`` is built by ``build()`` of ``workbench.zoo.fashion.lenet_300_100``,
    trained by its ``PLAN``, and kept in ``workbench/zoo/fashion/checkpoints/``.

    Attributes
    ----------
    name : str
        The task's name, a slash, and the model's own.
    task : Task
    title : str
        The name a person reads.
    width : float
        The share of its channels and neurons that the module has.
    left_out : int
        How many of its layers or blocks the module lacks.
    life : Life
        How long what is kept of it in caches is of use.
    """

    name: str
    task: Task
    title: str
    width: float = 1.0
    left_out: int = 0
    lifetime: Lifetime = field(default=FOREVER, compare=False, repr=False)

    @property
    def traits(self) -> Traits:
        """How its module may be run."""
        return BUILT_IN

    @staticmethod
    def quiet() -> AbstractContextManager[Any]:
        """Return what its module is run under where no gradients are wanted."""
        import torch

        return torch.inference_mode()

    def build(self) -> nn.Module:
        """Make the module with fresh weights."""
        module: nn.Module = import_module(self._module).build(self.width, self.left_out)
        return module

    def empty(self) -> nn.Module:
        """Make the module without values."""
        return self.build()

    @cached_property
    def large(self) -> tuple[str, ...]:
        """Names of the parameters with two or more axes: of other depth, some are new."""
        import torch

        with torch.device("meta"):
            module = self.empty()
        return tuple(name for name, tensor in module.named_parameters() if tensor.ndim >= 2)

    @cached_property
    def buffers(self) -> frozenset[str]:
        """Names of what the module saves that is no parameter."""
        import torch

        from workbench.domain.user_architecture import stored_tensors

        with torch.device("meta"):
            module = self.empty()
        return frozenset(stored_tensors(module)) - {name for name, _ in module.named_parameters()}

    def check_unchanged(self) -> None:
        """Refuse weights that are no longer those that were brought; built-in ones never change."""

    def weights(self, digest: str) -> dict[str, Tensor]:
        """Return every parameter and buffer of the checkpoint whose SHA-256 is `digest`.

        Raises
        ------
        WorkbenchError
            If the file is missing or is another.
        """
        return _load(self.checkpoint, digest)

    @property
    def key(self) -> Hashable:
        """What a cache knows the module by, without holding it."""
        return self.name, self.lifetime.number, self.width, self.left_out

    @property
    def data(self) -> tuple[Any, ...]:
        """The arrays and tensors of data that it keeps in memory for itself; none of its own."""
        return ()

    @property
    def most_left_out(self) -> int:
        """How many layers or blocks can be left out."""
        return int(import_module(self._module).MOST_LEFT_OUT)

    @property
    def plan(self) -> TrainingPlan:
        """How it is trained."""
        plan: TrainingPlan = import_module(self._module).PLAN
        return plan

    @property
    def checkpoint(self) -> Path:
        """The ``.safetensors`` file of the trained weights."""
        folder, _, stem = self.name.partition("/")
        package = Path(str(files(f"{PACKAGE}.{folder.replace('-', '_')}")))
        return package / "checkpoints" / f"{stem}.safetensors"

    @property
    def card(self) -> Path:
        """The JSON file beside the checkpoint."""
        return self.checkpoint.with_suffix(".json")

    @property
    def _module(self) -> str:
        return f"{PACKAGE}.{self.name.replace('/', '.').replace('-', '_')}"


@dataclass(frozen=True, repr=False)
class Model:
    """A trained model, built in or brought.

    Attributes
    ----------
    architecture : Architecture
    card : dict
        What the JSON card says: ``parameters``, ``macs`` (multiply-adds per example),
        ``peak_memory`` (bytes over a batch of 64), ``layers`` (by weight, the ``kind`` of its
        layer, its ``macs``, which it is ``coupled`` with, and its ``axes`` where it is turned to be
        compressed), ``tensors`` (shapes by name, in the
        module's order), ``original_bytes``, ``sha256``, ``accuracy`` (per split, ``correct`` of
        ``examples``, or the ``value`` of another metric and
        the other figures) and ``training`` (how the checkpoint was
        made; ``seconds`` are elapsed time).
    form : Form
        How `module` differs from the architecture's own; the weights are always the original's.
    """

    architecture: Architecture
    card: dict[str, Any] = field(compare=False, repr=False)
    spec: ModuleSpec = UNCHANGED

    def __repr__(self) -> str:
        return f"<Model {self.name}: {self.card.get('parameters', 0):,} parameters>"

    @property
    def key(self) -> Hashable:
        """What a cache knows the module in its form by, without holding it."""
        return self.architecture.key, self.spec

    @property
    def name(self) -> str:
        """The identifier, such as ``fashion/lenet5``."""
        return self.architecture.name

    @property
    def task(self) -> Task:
        """The task it was trained for."""
        return self.architecture.task

    @property
    def title(self) -> str:
        """The name a person reads."""
        return self.architecture.title

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the checkpoint file."""
        return str(self.card["sha256"])

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells it from any other, one that is brought later under its name among them.

        Its name, weights and code, the data of every split, the metric and the classes' names.
        """
        data = [source.digest for source in self.task.sources]
        return (self.name, self.digest, *data, self.task.metric.name, *self.task.classes)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the parameters that can be compressed, in the module's order."""
        architecture = self.architecture
        return architecture.large if architecture.left_out else tuple(self.card["layers"])

    @property
    def roles(self) -> Roles:
        """Which of its tensors are compressed and turned for that, and which are buffers."""
        from workbench.compression.axes import Axes
        from workbench.compression.roles import Roles

        axes = {
            name: Axes.from_list(layer["axes"])
            for name, layer in self.card["layers"].items()
            if "axes" in layer
        }
        return Roles(self.layers, self.architecture.buffers, axes)

    def coupled_layers(self, layer: str, part: str) -> tuple[str, ...]:
        """Return the layers that have one setting with `layer` in a part of a recipe.

        All but structured pruning set layers singly; empty where that cannot narrow `layer`.
        """
        return tuple(self.card["layers"][layer]["coupled"]) if part == "structure" else (layer,)

    @property
    def original_bytes(self) -> int:
        """Length of the checkpoint, the dense float32 ``.safetensors`` file."""
        return int(self.card["original_bytes"])

    def metric_value(self, split: str) -> float:
        """Return the original's figure of the task's metric on "validation" or "test"."""
        counted = self.card["accuracy"][split]
        if "value" in counted:
            return float(counted["value"])
        return float(counted["correct"] / counted["examples"])

    def accuracy(self, split: str) -> float:
        """Return the share of right predictions of the original, if there is right and wrong.

        Raises
        ------
        WorkbenchError
            Where the task is measured otherwise.
        """
        counted = self.card["accuracy"][split]
        if "correct" in counted:
            return float(counted["correct"] / counted["examples"])
        if "accuracy" not in counted:
            raise WorkbenchError(
                f"This compares accuracies, and {self.task.title} is measured by "
                f"{self.task.metric.name}."
            )
        return float(counted["accuracy"])

    def weights(self) -> dict[str, Tensor]:
        """Every parameter and buffer by name; read them, never write to them.

        The tensors are mapped from the file once per process and shared. All are float32 but
        the step counters of batch norm, which are int64.

        Raises
        ------
        WorkbenchError
            If the checkpoint is missing or is not the one that the card describes.
        """
        tensors = self.architecture.weights(self.digest)
        return {name: tensors[name] for name in self.card["tensors"]}

    def module(self) -> nn.Module:
        """Make a fresh module in eval mode on the meta device: the structure without values.

        Raises
        ------
        ArtifactError
            When the form does not fit the architecture.
        """
        from workbench.runtime.guard import guarded

        return guarded(self.unguarded_module(), self.architecture.traits)

    def unguarded_module(self) -> nn.Module:
        """Make what `module` makes, without its guards: as it would run on its own.

        Raises
        ------
        ArtifactError
            When the form does not fit the architecture.
        """
        import torch

        from workbench.runtime.build import apply_spec

        with torch.device("meta"):
            return apply_spec(self.architecture.empty(), self.spec).eval()

    def with_spec(self, spec: ModuleSpec) -> Model:
        """Return the same model with the module that a file of that form runs on."""
        architecture = self.architecture
        if (architecture.width, architecture.left_out) != (spec.width, spec.left_out):
            architecture = replace(architecture, width=spec.width, left_out=spec.left_out)
        return replace(self, architecture=architecture, spec=spec)


@cache
def _load(path: Path, digest: str) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    try:
        intact = hashlib.sha256(path.read_bytes()).hexdigest() == digest
    except OSError:
        intact = False
    if not intact:
        raise WorkbenchError(
            f"The checkpoint {path.name} is missing or damaged; install the package again."
        )
    return load_file(path)
