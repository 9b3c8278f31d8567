"""A module of somebody's own as a model: tried on its task's data, measured, given its card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from workbench.cache.files import FileCache
from workbench.compression.checks import check_storable
from workbench.compression.roles import is_mask
from workbench.custom.code_digest import code_digest
from workbench.custom.probe import (
    BATCH_DEPENDENT,
    NOT_DETERMINISTIC,
    REPEAT_TOLERANCE,
    TOLERANCE,
    agree,
    probe,
)
from workbench.custom.wrappers import unwrap, without_masks
from workbench.domain import Model, Split, Task
from workbench.domain.user_architecture import (
    UserArchitecture,
    meta_copy,
    stored_tensors,
    tensors_of,
    versions_of,
)
from workbench.errors import WorkbenchError, user_errors
from workbench.evaluation.batch_size import batch_size_for
from workbench.evaluation.model_card import measure_card
from workbench.runtime.batch import Batch, call
from workbench.runtime.guard import guarded
from workbench.runtime.seeding import preserve_random_state
from workbench.runtime.shell import shell
from workbench.runtime.traits import Traits

PROBE_EXAMPLES = 4
"""Examples on which a module is tried."""
SMALL_BATCH = 16
"""Examples of a small batch."""
SINGLE_EXAMPLES = 8
"""Examples that run alone."""
TRAIN_EXAMPLES = 64
"""Training examples on which a model is tried."""
CARD_VERSION = 4
"""Raised when a card is measured otherwise."""


@dataclass(frozen=True)
class PreparedModule:
    """A user's module, ready to become a model.

    `held` is what runs, the same as `source`, the user's own, but for wrappers and masks; `masked`
    are the weights that had masks. `weights` are its tensors by name, `traits` say how it may be
    run, and `outputs` are those for the first examples.
    """

    source: nn.Module
    held: nn.Module
    masked: tuple[str, ...]
    weights: dict[str, Tensor]
    traits: Traits
    outputs: Any


def prepare_module(module: nn.Module, split: Split, inputs: Callable[[Any], Any]) -> PreparedModule:
    """Take off wrappers and masks, and try the module on a few examples of `split`.

    Raises
    ------
    WorkbenchError
        When it has no parameters, or such as cannot be compressed here, or is refused by `probe`.
    """
    source = unwrap(module)
    check_parameters(source)
    held, masked = without_masks(source)
    spread = split.examples[_spread(split, PROBE_EXAMPLES)]
    traits = probe(held, lambda: inputs(spread), split.name)
    weights = tensors_of(held)
    with user_errors(f"The module fails on the {split.name} data"), torch.no_grad():
        few = inputs(split.examples[: min(PROBE_EXAMPLES, len(split))])
        outputs = call(guarded(meta_copy(held).eval(), traits), weights, few)
    _check_finite(split, few, outputs)
    return PreparedModule(source, held, masked, weights, traits, outputs)


def model_of(
    module: nn.Module | PreparedModule,
    task: Task,
    *,
    name: str | None = None,
    title: str | None = None,
    card: Mapping[str, Any] | None = None,
    files: FileCache | None = None,
) -> Model:
    """Return a module as a model of `task`, named like the task unless told otherwise.

    What its card says is taken from `card` where that is of these weights and, if it names any, of
    this code; else it is looked for in `files`, if given, and kept there.

    Raises
    ------
    WorkbenchError
        When the module does not take the task's data, or cannot be copied.
    """
    splits = [task.split(split) for split in ("validation", "test")]
    ready = (
        module
        if isinstance(module, PreparedModule)
        else prepare_module(module, splits[0], task.inputs)
    )
    weights = ready.weights
    stored, computed = weights_digest(weights), code_digest(ready.held)
    fits = card is not None and card["weights"] == stored and card.get("code", computed) == computed
    digest = _fingerprint(stored, computed, ready.outputs, task, ready.held)
    architecture = UserArchitecture(
        name or task.name,
        task,
        title or task.title,
        fingerprint=digest,
        module=ready.held,
        source=ready.source,
        versions=versions_of(ready.source),
        traits=ready.traits,
    )
    known = dict(card) if card is not None and fits else {}
    model = Model(architecture, {**known, "sha256": digest})
    if fits:
        return _told_apart(model, digest)
    held_out = " ".join(split.digest for split in splits)
    versions = f"{version('workbench')} torch-{version('torch')}"
    key = f"card {CARD_VERSION} {digest} {held_out} {task.metric.name} {versions}"
    blob = files.get(key) if files is not None else None
    if blob is not None:
        model.card.update(json.loads(blob), sha256=digest)
        return _told_apart(model, digest)
    model.card.update(
        measure_card(model, weights, *splits),
        weights=stored,
        code=computed,
        original_bytes=_file_length(ready.held),
        training={"seconds": None},
        masked=list(ready.masked),
    )
    if files is not None:
        files.put(key, json.dumps(model.card).encode())
    return _told_apart(model, digest)


def _told_apart(model: Model, digest: str) -> Model:
    """Return `model` under a digest that its figures on all held-out examples count in, too."""
    figures = json.dumps(model.card["accuracy"], sort_keys=True)
    model.card["sha256"] = hashlib.sha256(f"{digest} {figures}".encode()).hexdigest()
    return model


def check_parameters(module: nn.Module) -> None:
    """Refuse parameters that cannot be compressed here.

    Raises
    ------
    WorkbenchError
        When there are none, or some lie elsewhere than on the CPU, have no values yet, are complex
        or float64, or hold NaN or infinity.
    """
    tensors = [*module.parameters(), *module.buffers()]
    if not [*module.parameters()]:
        raise WorkbenchError("The module has no parameters: there is nothing to compress.")
    if any(map(is_lazy, tensors)):
        raise WorkbenchError(
            "The module has lazy layers without weights yet: run it once on an example first."
        )
    other = next((t.device for t in tensors if t.device.type != "cpu"), None)
    if other is not None:
        raise WorkbenchError(
            f"The module lies on {other}: move it to the CPU, where files are judged, with "
            "module.cpu()."
        )
    for name, parameter in module.named_parameters():
        if parameter.is_complex():
            raise WorkbenchError(
                f"The module's {name} is complex, and only real weights are compressed: hold it as "
                "two real parameters, and join them with torch.complex in forward."
            )
        if parameter.dtype == torch.float64:
            raise WorkbenchError(
                "The module computes in float64, and files are judged in float32: bring "
                "module.float()."
            )
        values = parameter.detach()
        if values.is_floating_point() and not bool(values.isfinite().all()):
            if values.ndim >= 2 and is_mask(values):
                continue
            raise WorkbenchError(
                f"The module's {name} holds NaN or infinity: bring weights that are all finite."
            )
        check_storable(name, values)


def _check_finite(split: Split, inputs: Any, outputs: Any) -> None:
    """Refuse outputs that are no finite numbers, and say where they come from."""
    if not isinstance(outputs, Tensor) or bool(outputs.isfinite().all()):
        return
    if not all(bool(tensor.isfinite().all()) for tensor in Batch.of(inputs).tensors):
        raise WorkbenchError(
            f"The {split.name} inputs hold NaN or infinity, and so do the module's outputs: "
            "replace such inputs with finite numbers."
        )
    raise WorkbenchError(
        f"The module gives NaN or infinity for finite {split.name} inputs: its outputs must be "
        "finite numbers."
    )


def check_batches(model: Model) -> None:
    """Run a whole batch of validation examples twice, and in small batches.

    Small batches, and single examples, are padded to their own lengths where a `collate_fn` pads.

    Raises
    ------
    WorkbenchError
        When the outputs differ: they depend on chance or on the other examples of a batch.
    """
    split = model.task.split("validation")
    numbers = np.arange(min(len(split), batch_size_for(model)))
    weights, run = model.weights(), shell(model)

    def outputs(some: Any) -> Any:
        return run(weights, model.task.inputs(split.examples[some]))

    with preserve_random_state():
        whole, again = outputs(numbers), outputs(numbers)
        if not isinstance(whole, Tensor) or whole.shape[:1] != (len(numbers),):
            return
        if not agree(again, whole, REPEAT_TOLERANCE):
            raise WorkbenchError(NOT_DETERMINISTIC)
        groups = np.array_split(numbers, -(-len(numbers) // SMALL_BATCH))
        if model.architecture.traits.single_example:
            groups += [
                numbers[[n]]
                for n in np.unique(np.linspace(0, len(numbers) - 1, SINGLE_EXAMPLES, dtype=int))
            ]
        for group in groups:
            if not _alike(outputs(group), whole[torch.from_numpy(group)]):
                raise WorkbenchError(BATCH_DEPENDENT)


def _alike(found: Tensor, among_others: Tensor) -> bool:
    """Return whether outputs are those of a larger batch, which may be padded at either end."""
    if found.ndim < 2 or found.ndim != among_others.ndim or found.shape == among_others.shape:
        return agree(found, among_others, TOLERANCE)
    length = found.shape[1]
    ends = among_others[:, :length], among_others[:, -length:]
    return any(agree(found, end, TOLERANCE) for end in ends)


def check_training_data(model: Model) -> None:
    """Run a model on some of its training examples, from all over the split.

    Raises
    ------
    WorkbenchError
        When the module fails on them, or gives NaN or infinity.
    """
    split = model.task.split("train")
    inputs = model.task.inputs(
        split.examples[_spread(split, min(TRAIN_EXAMPLES, batch_size_for(model)))]
    )
    with user_errors("The module fails on the train data"):
        outputs = shell(model)(model.weights(), inputs)
    _check_finite(split, inputs, outputs)


def _spread(split: Split, most: int) -> Any:
    """Return the numbers of examples from the first to the last, at most so many."""
    return np.unique(np.linspace(0, len(split) - 1, most).round().astype(np.int64))


def weights_digest(weights: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 (hex) of the names, kinds, shapes and values of `weights`."""
    found = hashlib.sha256()
    for name, tensor in weights.items():
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(tensor.contiguous().flatten().view(torch.uint8).numpy().data)
    return found.hexdigest()


def _fingerprint(weights: str, code: str, outputs: Any, task: Task, module: nn.Module) -> str:
    """Return the SHA-256 (hex) of all that results depend on but recipe and held-out data.

    The digests of the weights and of the code, what the module computes for a few examples, what
    it is trained on, by which loss, and which of its parameters are.
    """
    frozen = [name for name, tensor in module.named_parameters() if not tensor.requires_grad]
    learned = (
        f"{weights} {code} {code_digest(outputs)} {task.digest('train')} {task.cache_salt} {frozen}"
    )
    return hashlib.sha256(learned.encode()).hexdigest()


def _file_length(module: nn.Module) -> int:
    """Return the length of the module's own ``.safetensors`` file, its tensors as they are."""
    own: dict[str, Tensor] = {}
    places: set[int] = set()
    for name, tensor in stored_tensors(module).items():
        place = tensor.untyped_storage().data_ptr()
        shared = place in places  # what two names share, such a file holds twice
        places.add(place)
        plain = tensor.detach().contiguous()
        plain = torch.view_as_real(plain) if plain.dtype == torch.complex128 else plain
        own[name] = plain.clone() if shared else plain
    return len(save(own))
