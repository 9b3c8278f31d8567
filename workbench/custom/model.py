"""Turn a user's module into a model: probe it on its task's data, measure it, write its card."""

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

from workbench.artifact.unstored import Fingerprint
from workbench.cache.files import FileCache
from workbench.compression.checks import check_storable
from workbench.compression.roles import is_mask
from workbench.custom.code_digest import code_digest
from workbench.custom.needed_values import needed_values
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
from workbench.domain.module_copy import meta_copy
from workbench.domain.module_tensors import stored_tensors, tensors_of
from workbench.domain.user_architecture import UserArchitecture, versions_of
from workbench.errors import InputError, user_errors
from workbench.evaluation.batch_size import batch_size_for
from workbench.evaluation.model_card import measure_card, with_current_names
from workbench.runtime.batch import Batch, call
from workbench.runtime.guard import guarded
from workbench.runtime.seeding import preserve_random_state
from workbench.runtime.shell import shell
from workbench.runtime.traits import Traits

PROBE_EXAMPLES = 4
"""Examples on which a module is probed."""
SMALL_BATCH = 16
"""Examples in a small batch."""
SINGLE_EXAMPLES = 8
"""Examples that run as batches of one."""
TRAIN_EXAMPLES = 64
"""Training examples on which a model is run once."""
CARD_VERSION = 7
"""Increase when cards are measured differently."""


@dataclass(frozen=True)
class PreparedModule:
    """A user's module, ready to become a model.

    Attributes
    ----------
    source : nn.Module
        The user's module.
    held : nn.Module
        The module that runs: `source` without wrappers and pruning masks.
    masked : tuple of str
        Names of the weights that had masks.
    weights : dict
        Tensors of `held` by name.
    traits : Traits
        How the module may be run.
    outputs
        The outputs for the first examples.
    unstored : dict
        Fingerprints of values that `held` needs and files do not store, by name.
    """

    source: nn.Module
    held: nn.Module
    masked: tuple[str, ...]
    weights: dict[str, Tensor]
    traits: Traits
    outputs: Any
    unstored: dict[str, Fingerprint]


def prepare_module(module: nn.Module, split: Split, inputs: Callable[[Any], Any]) -> PreparedModule:
    """Remove wrappers and masks, and probe the module on a few examples of `split`.

    Raises
    ------
    InputError
        If the module has no parameters or unsupported ones, or `probe` refuses it.
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
    unstored = needed_values(held, traits, lambda: inputs(spread))
    return PreparedModule(source, held, masked, weights, traits, outputs, unstored)


def model_of(
    module: nn.Module | PreparedModule,
    task: Task,
    *,
    name: str | None = None,
    title: str | None = None,
    card: Mapping[str, Any] | None = None,
    files: FileCache | None = None,
    preprocessing: Mapping[str, Any] | None = None,
) -> Model:
    """Return a module as a model of `task`.

    Parameters
    ----------
    module
        A module, or the result of `prepare_module`.
    task
        The task, which also names the model unless `name` and `title` are given.
    card
        A model card. It is used if its digests of weights and, if present, of code match.
    files
        A cache in which the card is looked up and stored otherwise.
    preprocessing
        How files of the model predict from raw data, as `Description.as_dict` returns it.

    Raises
    ------
    InputError
        If the module does not accept the task's data, or cannot be copied.
    """
    splits = [task.split(split) for split in ("validation", "test")]
    if not isinstance(module, PreparedModule):
        module = prepare_module(module, splits[0], task.inputs)
    weights = module.weights
    stored, code = weights_digest(weights), code_digest(module.held)
    fits = card is not None and card["weights"] == stored and card.get("code", code) == code
    digest = _fingerprint(stored, code, module.outputs, task, module.held)
    if preprocessing is not None:
        added = json.dumps(preprocessing, sort_keys=True)
        digest = hashlib.sha256(f"{digest} {added}".encode()).hexdigest()
    architecture = UserArchitecture(
        name or task.name,
        task,
        title or task.title,
        fingerprint=digest,
        module=module.held,
        source=module.source,
        versions=versions_of(module.source),
        traits=module.traits,
        preprocessing=preprocessing,
        unstored=module.unstored,
    )
    known = with_current_names(card) if card is not None and fits else {}
    model = Model(architecture, {**known, "sha256": digest})
    if fits:
        return _with_final_digest(model, digest)
    held_out = " ".join(split.digest for split in splits)
    versions = f"{version('workbench')} torch-{version('torch')}"
    key = f"card {CARD_VERSION} {digest} {held_out} {task.metric.name} {versions}"
    blob = files.get(key) if files is not None else None
    if blob is not None:
        model.card.update(json.loads(blob), sha256=digest)
        return _with_final_digest(model, digest)
    model.card.update(
        measure_card(model, weights, *splits),
        weights=stored,
        code=code,
        original_bytes=_file_length(module.held),
        training={"seconds": None},
        masked=list(module.masked),
    )
    if files is not None:
        files.put(key, json.dumps(model.card).encode())
    return _with_final_digest(model, digest)


def _with_final_digest(model: Model, digest: str) -> Model:
    """Return `model` with a digest that also covers its metrics on the held-out data."""
    figures = json.dumps(model.card["accuracy"], sort_keys=True)
    model.card["sha256"] = hashlib.sha256(f"{digest} {figures}".encode()).hexdigest()
    return model


def check_parameters(module: nn.Module) -> None:
    """Check that a module's parameters can be compressed.

    Raises
    ------
    InputError
        If there are none, or some are not on the CPU, not initialized, complex or float64, or
        contain NaN or infinity.
    """
    tensors = [*module.parameters(), *module.buffers()]
    if not [*module.parameters()]:
        raise InputError(
            "The module has no parameters: there is nothing to compress.",
            code="module.no_parameters",
        )
    if any(map(is_lazy, tensors)):
        raise InputError(
            "The module has lazy layers without weights yet: run it once on an example first.",
            code="module.lazy_layers",
        )
    other = next((t.device for t in tensors if t.device.type != "cpu"), None)
    if other is not None:
        raise InputError(
            f"The module is on {other}: move it to the CPU, where models are evaluated, with "
            "module.cpu().",
            code="module.wrong_device",
        )
    for name, parameter in module.named_parameters():
        if parameter.is_complex():
            raise InputError(
                f"The module's {name} is complex, but only real weights can be compressed: store "
                "it as two real parameters and join them with torch.complex in forward.",
                code="module.complex_weights",
            )
        if parameter.dtype == torch.float64:
            raise InputError(
                "The module's parameters are float64, but models are evaluated in float32: pass "
                "module.float().",
                code="module.float64_weights",
            )
        values = parameter.detach()
        if values.is_floating_point() and not bool(values.isfinite().all()):
            if values.ndim >= 2 and is_mask(values):
                continue
            raise InputError(
                f"The module's {name} contains NaN or infinity: pass finite weights.",
                code="module.weights_not_finite",
            )
        check_storable(name, values)


def _check_finite(split: Split, inputs: Any, outputs: Any) -> None:
    """Refuse outputs that are not finite, and say whether the inputs or the module cause it."""
    if not isinstance(outputs, Tensor) or bool(outputs.isfinite().all()):
        return
    if not all(bool(tensor.isfinite().all()) for tensor in Batch.of(inputs).tensors):
        raise InputError(
            f"The {split.name} inputs contain NaN or infinity, and so do the module's outputs: "
            "replace such inputs with finite numbers.",
            code="data.not_finite",
        )
    raise InputError(
        f"The module returns NaN or infinity for finite {split.name} inputs: its outputs must be "
        "finite numbers.",
        code="module.outputs_not_finite",
    )


def check_batches(model: Model) -> None:
    """Check that outputs do not depend on the batch: run a full batch twice, and small batches.

    Small batches and single examples are padded to their own lengths if a `collate_fn` pads.

    Raises
    ------
    InputError
        If the outputs differ: they are random, or depend on the other examples of a batch.
    """
    split = model.task.split("validation")
    numbers = np.arange(min(len(split), batch_size_for(model)))
    weights, run = model.weights(), shell(model)

    def outputs(chosen: Any) -> Any:
        return run(weights, model.task.inputs(split.examples[chosen]))

    with preserve_random_state():
        expected, again = outputs(numbers), outputs(numbers)
        if not isinstance(expected, Tensor) or expected.shape[:1] != (len(numbers),):
            return
        if not agree(again, expected, REPEAT_TOLERANCE):
            raise InputError(NOT_DETERMINISTIC, code="module.not_deterministic")
        groups = np.array_split(numbers, -(-len(numbers) // SMALL_BATCH))
        if model.architecture.traits.single_example:
            groups += [
                numbers[[n]]
                for n in np.unique(np.linspace(0, len(numbers) - 1, SINGLE_EXAMPLES, dtype=int))
            ]
        for group in groups:
            if not _same_outputs(outputs(group), expected[torch.from_numpy(group)]):
                raise InputError(BATCH_DEPENDENT, code="module.batch_dependent")


def _same_outputs(outputs: Tensor, expected: Tensor) -> bool:
    """Whether outputs equal those of a larger batch, which may be padded at either end."""
    if outputs.ndim < 2 or outputs.ndim != expected.ndim or outputs.shape == expected.shape:
        return agree(outputs, expected, TOLERANCE)
    length = outputs.shape[1]
    ends = expected[:, :length], expected[:, -length:]
    return any(agree(outputs, end, TOLERANCE) for end in ends)


def check_training_data(model: Model) -> None:
    """Run a model on training examples that are spread over the split.

    Raises
    ------
    InputError
        If the module fails on them, or returns NaN or infinity.
    """
    split = model.task.split("train")
    inputs = model.task.inputs(
        split.examples[_spread(split, min(TRAIN_EXAMPLES, batch_size_for(model)))]
    )
    with user_errors("The module fails on the train data"):
        outputs = shell(model)(model.weights(), inputs)
    _check_finite(split, inputs, outputs)


def _spread(split: Split, limit: int) -> Any:
    """Return up to `limit` evenly spaced indices, from the first example to the last."""
    return np.unique(np.linspace(0, len(split) - 1, limit).round().astype(np.int64))


def weights_digest(weights: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 (hex) of the names, dtypes, shapes and values of `weights`."""
    digest = hashlib.sha256()
    for name, tensor in weights.items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _fingerprint(weights: str, code: str, outputs: Any, task: Task, module: nn.Module) -> str:
    """Return the SHA-256 (hex) of what results depend on, except recipe and held-out data.

    It covers the weights, the code, the outputs for a few examples, the training data, the loss,
    and which parameters are trainable.
    """
    frozen = [name for name, tensor in module.named_parameters() if not tensor.requires_grad]
    learned = (
        f"{weights} {code} {code_digest(outputs)} {task.digest('train')} {task.cache_salt} {frozen}"
    )
    return hashlib.sha256(learned.encode()).hexdigest()


def _file_length(module: nn.Module) -> int:
    """Return the length in bytes of a ``.safetensors`` file of the uncompressed module."""
    tensors: dict[str, Tensor] = {}
    storages: set[int] = set()
    for name, tensor in stored_tensors(module).items():
        storage = tensor.untyped_storage().data_ptr()
        shared = storage in storages  # the file stores a shared tensor under each name
        storages.add(storage)
        dense = tensor.detach().contiguous()
        dense = torch.view_as_real(dense) if dense.dtype == torch.complex128 else dense
        tensors[name] = dense.clone() if shared else dense
    return len(save(tensors))
