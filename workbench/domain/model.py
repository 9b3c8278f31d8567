"""Models: an architecture, its trained weights and a card that describes them."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping
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
from workbench.errors import FileError, InputError
from workbench.runtime.traits import BUILT_IN, Traits

if TYPE_CHECKING:
    from torch import Tensor, nn

    from workbench.artifact.unstored import Fingerprint
    from workbench.compression.roles import Roles


PACKAGE = "workbench.zoo"
"""The package with a Python module and a checkpoint for each built-in network."""


@dataclass(frozen=True)
class Architecture:
    """A built-in network, located by its name.

    ``fashion/lenet-300-100`` is built by ``build()`` of ``workbench.zoo.fashion.lenet_300_100``
    and trained by its ``PLAN``. Its checkpoint is in ``workbench/zoo/fashion/checkpoints/``.

    Attributes
    ----------
    name : str
        The task's name, a slash and the model's name.
    task : Task
    title : str
        The display name.
    width : float
        Fraction of the network's channels and neurons that the module has.
    left_out : int
        Number of layers or blocks that the module omits.
    lifetime : Lifetime
        Cache entries about this architecture are dropped when its lifetime ends.
    """

    name: str
    task: Task
    title: str
    width: float = 1.0
    left_out: int = 0
    lifetime: Lifetime = field(default=FOREVER, compare=False, repr=False)

    @property
    def traits(self) -> Traits:
        """The ways in which the module can run."""
        return BUILT_IN

    @staticmethod
    def no_grad() -> AbstractContextManager[Any]:
        """Return the context in which the module runs without gradients."""
        import torch

        return torch.inference_mode()

    def build(self) -> nn.Module:
        """Return the module with newly initialized weights."""
        module: nn.Module = import_module(self.module_name).build(self.width, self.left_out)
        return module

    def empty(self) -> nn.Module:
        """Return the module; the values of its tensors are not used."""
        return self.build()

    @cached_property
    def matrices(self) -> tuple[str, ...]:
        """Names of the parameters with two or more axes, in the module's order."""
        import torch

        with torch.device("meta"):
            module = self.empty()
        return tuple(name for name, tensor in module.named_parameters() if tensor.ndim >= 2)

    @cached_property
    def buffers(self) -> frozenset[str]:
        """Names of the buffers that the module saves."""
        import torch

        from workbench.domain.module_tensors import stored_tensors

        with torch.device("meta"):
            module = self.empty()
        return frozenset(stored_tensors(module)) - {name for name, _ in module.named_parameters()}

    def check_unchanged(self) -> None:
        """Raise if the weights or data have changed. Built-in ones never do."""

    def weights(self, digest: str) -> dict[str, Tensor]:
        """Return every parameter and buffer of the checkpoint whose SHA-256 is `digest`.

        Raises
        ------
        FileError
            If the file is missing or its digest differs.
        """
        return _load(self.checkpoint, digest)

    @property
    def preprocessing(self) -> Mapping[str, Any] | None:
        """How its files predict from raw data, as plain data; None if they do not."""
        return None

    @property
    def unstored(self) -> Mapping[str, Fingerprint] | None:
        """Fingerprints of values that the module needs and files do not store, by name."""
        return None

    @property
    def key(self) -> Hashable:
        """The cache key of the module; it holds no reference to the module."""
        return self.name, self.lifetime.number, self.width, self.left_out

    @property
    def data(self) -> tuple[Any, ...]:
        """Arrays and tensors of data that only this model keeps in memory."""
        return ()

    @property
    def most_left_out(self) -> int:
        """The largest number of layers or blocks that can be omitted."""
        return int(import_module(self.module_name).MOST_LEFT_OUT)

    @property
    def plan(self) -> TrainingPlan:
        """How the network is trained."""
        plan: TrainingPlan = import_module(self.module_name).PLAN
        return plan

    @property
    def checkpoint(self) -> Path:
        """The ``.safetensors`` file of the trained weights."""
        folder, _, stem = self.name.partition("/")
        package = Path(str(files(f"{PACKAGE}.{folder.replace('-', '_')}")))
        return package / "checkpoints" / f"{stem}.safetensors"

    @property
    def card(self) -> Path:
        """The JSON file next to the checkpoint."""
        return self.checkpoint.with_suffix(".json")

    @property
    def module_name(self) -> str:
        """The Python module that builds the network."""
        return module_name(self.name)


@dataclass(frozen=True, repr=False)
class Model:
    """A trained model: built-in or custom.

    Attributes
    ----------
    architecture : Architecture
        The name, the task and the module without its weights.
    card : dict
        The JSON card: ``parameters``, ``macs`` (multiply-accumulates per example), ``peak_memory``
        (bytes for a batch of 64), ``layers`` (for each weight, the ``kind`` of its layer, its
        ``macs``, the weights it is ``coupled`` with, and its ``axes`` if it is transposed for
        compression), ``tensors`` (shape by name, in the module's order), ``equalizable`` (whether
        channel ranges can be equalized: "always", "folded" or ""), ``most_left_out`` (the number of
        layers or blocks that can be left out), ``original_bytes``,
        ``sha256``, ``accuracy`` (for each split, ``correct`` and ``examples``, or the ``value`` of
        another metric and further metrics) and ``training`` (how the checkpoint was trained;
        ``seconds`` are elapsed time); and ``notes`` if there are some.
    spec : ModuleSpec
        How `module` differs from the original module. The weights are always the original ones.
    """

    architecture: Architecture
    card: dict[str, Any] = field(compare=False, repr=False)
    spec: ModuleSpec = UNCHANGED

    def __repr__(self) -> str:
        facts = [f"{self.card.get('parameters', 0):,} parameters", *self.notes]
        return f"<Model {self.name}: {'. '.join(facts)}>"

    @property
    def key(self) -> Hashable:
        """The cache key of the module with its spec; it holds no reference to the module."""
        return self.architecture.key, self.spec

    @property
    def name(self) -> str:
        """The identifier, such as ``fashion/lenet5``."""
        return self.architecture.name

    @property
    def task(self) -> Task:
        """The task that the model was trained for."""
        return self.architecture.task

    @property
    def title(self) -> str:
        """The display name."""
        return self.architecture.title

    @property
    def preprocessing(self) -> Mapping[str, Any] | None:
        """How its files predict from raw data, as plain data; None if they do not.

        See `workbench.artifact.preprocessing`.
        """
        return self.architecture.preprocessing

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about its training, such as that a limit on the seconds ended it early."""
        return tuple(self.card.get("notes", ()))

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the checkpoint file."""
        return str(self.card["sha256"])

    @property
    def identity(self) -> tuple[str, ...]:
        """A key that differs from that of any other model, even one registered under this name.

        It consists of the name, a digest of weights and code, the digest of each split, the
        metric and the class names.
        """
        data = [source.digest for source in self.task.sources]
        return (self.name, self.digest, *data, self.task.metric.name, *self.task.classes)

    def is_same_as(self, other: Model) -> bool:
        """Whether the other has the same identity; each look-up by name gives another object."""
        return self is other or self.identity == other.identity

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the parameters that can be compressed, in the module's order."""
        architecture = self.architecture
        return architecture.matrices if architecture.left_out else tuple(self.card["layers"])

    @property
    def other_tensors(self) -> frozenset[str]:
        """Names of the original module's tensors that are not compressed, such as biases."""
        return frozenset(self.card["tensors"]) - frozenset(self.card["layers"])

    @property
    def roles(self) -> Roles:
        """Which tensors are compressed, which are transposed for it, and which are buffers."""
        from workbench.compression.axes import Axes
        from workbench.compression.roles import Roles

        axes = {
            name: Axes.from_list(layer["axes"])
            for name, layer in self.card["layers"].items()
            if "axes" in layer
        }
        return Roles(self.layers, self.architecture.buffers, axes)

    def coupled_layers(self, layer: str, part: str) -> tuple[str, ...]:
        """Return the layers that share one setting with `layer` in a part of a recipe.

        Only structured pruning couples layers. The result is empty if it cannot narrow `layer`.
        """
        return tuple(self.card["layers"][layer]["coupled"]) if part == "structure" else (layer,)

    @property
    def original_bytes(self) -> int:
        """Length of the checkpoint in bytes, a dense float32 ``.safetensors`` file."""
        return int(self.card["original_bytes"])

    def metric_value(self, split: str) -> float:
        """Return the original model's value of the task's metric on "validation" or "test"."""
        scores = self.card["accuracy"][split]
        if "value" in scores:
            return float(scores["value"])
        return float(scores["correct"] / scores["examples"])

    def accuracy(self, split: str) -> float:
        """Return the accuracy of the original model, 0 to 1.

        Raises
        ------
        InputError
            If the task's metric is not an accuracy.
        """
        scores = self.card["accuracy"][split]
        if "correct" in scores:
            return float(scores["correct"] / scores["examples"])
        if "accuracy" not in scores:
            raise InputError(
                f"This needs an accuracy, but the metric of {self.task.title} is "
                f"{self.task.metric.label}.",
                code="metric.no_accuracy",
            )
        return float(scores["accuracy"])

    def weights(self) -> dict[str, Tensor]:
        """Return every parameter and buffer by name. They are shared: never write to them.

        A checkpoint is mapped into memory once per process. All tensors are float32 except
        the step counters of batch norm, which are int64.

        Raises
        ------
        FileError
            If the checkpoint is missing or its digest is not that of the card.
        """
        tensors = self.architecture.weights(self.digest)
        return {name: tensors[name] for name in self.card["tensors"]}

    def module(self) -> nn.Module:
        """Return a new module in eval mode on the meta device, without values.

        Raises
        ------
        ArtifactError
            If the spec does not fit the architecture.
        """
        from workbench.runtime.guard import guarded

        return guarded(self.unguarded_module(), self.architecture.traits)

    def unguarded_module(self) -> nn.Module:
        """Return the same as `module`, but without the guards that `guarded` adds.

        Raises
        ------
        ArtifactError
            If the spec does not fit the architecture.
        """
        import torch

        from workbench.runtime.build import apply_spec

        with torch.device("meta"):
            return apply_spec(self.architecture.empty(), self.spec).eval()

    def with_spec(self, spec: ModuleSpec) -> Model:
        """Return the same model with the module that `spec` describes."""
        architecture = self.architecture
        if (architecture.width, architecture.left_out) != (spec.width, spec.left_out):
            architecture = replace(architecture, width=spec.width, left_out=spec.left_out)
        return replace(self, architecture=architecture, spec=spec)


def module_name(model: str) -> str:
    """Return the name of the Python module that builds a built-in model."""
    return f"{PACKAGE}.{model.replace('/', '.').replace('-', '_')}"


@cache
def _load(path: Path, digest: str) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    try:
        intact = hashlib.sha256(path.read_bytes()).hexdigest() == digest
    except OSError:
        intact = False
    if not intact:
        raise FileError(
            f"The checkpoint {path.name} is missing or damaged; install the package again.",
            code="model.checkpoint_damaged",
        )
    return load_file(path)
