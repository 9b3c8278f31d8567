"""A module of somebody's own as a model: tried on its task's data, measured, given its card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

from workbench.errors import WorkbenchError, in_words, told
from workbench.evaluation.card import measured
from workbench.kept import Files
from workbench.zoo import Model, Split, Task
from workbench.zoo.batch import Batch, outputs_of
from workbench.zoo.brought import Brought, tensors_of, versions_of
from workbench.zoo.shell import Shell

TRIED = 4
"""Examples of the batch on which a module is tried."""
HALF = 100
"""That tolerance times this for a module in half precision, which is run in float32 here."""
CARD = 2
"""Raised when a card is measured otherwise."""
TOLERANCE = 1e-3
"""How far a copy's outputs may lie from the module's own, in proportion to the largest."""


def model_of(
    module: nn.Module,
    task: Task,
    *,
    name: str | None = None,
    title: str | None = None,
    card: Mapping[str, Any] | None = None,
    files: Files | None = None,
) -> Model:
    """Return a module as a model of `task`, named like the task unless told otherwise.

    What its card says is taken from `card` where that is of these weights; else it is looked for
    in `files`, if given, and kept there.

    Raises
    ------
    WorkbenchError
        When the module does not take the task's data, or does not bear being copied.
    """
    splits = [task.split(split) for split in ("validation", "test")]
    outputs = tried(module, splits[0], task.inputs)
    weights = tensors_of(module)
    stored = digest_of(weights)
    fits = card is not None and card["weights"] == stored
    digest = card["sha256"] if card is not None and fits else _fingerprint(stored, outputs, task)
    architecture = Brought(
        name or task.name,
        task,
        title or task.title,
        fingerprint=digest,
        held=module,
        versions=versions_of(module),
    )
    model = Model(architecture, dict(card) if card is not None and fits else {"sha256": digest})
    _check_copy(model, weights, outputs)
    if fits:
        return model
    key = f"card {CARD} {digest} {' '.join(s.digest for s in splits)} torch-{version('torch')}"
    blob = files.get(key) if files is not None else None
    if blob is not None:
        model.card.update(json.loads(blob))
        return model
    model.card.update(
        measured(model, weights, *splits),
        weights=stored,
        original_bytes=_file_length(module),
        training={"seconds": None},
    )
    if files is not None:
        files.put(key, json.dumps(model.card).encode())
    return model


def tried(module: nn.Module, split: Split, inputs: Callable[[Any], Any]) -> Any:
    """Return what the module gives for a few examples, as it is.

    Raises
    ------
    WorkbenchError
        When it has no parameters, lies elsewhere than on the CPU, or fails.
    """
    _check_device(module)
    before = module.training
    module.eval()
    try:
        with in_words(f"The module fails on the first {split.name} batch"), torch.no_grad():
            batch = Batch.of(inputs(_few(split)))
            named = batch.names
            found = outputs_of(
                module(*batch.tensors)
                if named is None
                else module(**dict(zip(named, batch.tensors, strict=True)))
            )
    finally:
        module.train(before)
    _check_finite(module, split, batch, found)
    return found


def _check_finite(module: nn.Module, split: Split, batch: Batch, outputs: Any) -> None:
    """Refuse outputs that are no finite numbers, and say where they come from."""
    if not isinstance(outputs, Tensor) or bool(outputs.isfinite().all()):
        return
    wrong = next((n for n, p in module.named_parameters() if not bool(p.isfinite().all())), None)
    if wrong is not None:
        raise WorkbenchError(
            f"The module's {wrong} holds NaN or infinity: bring weights that are all finite."
        )
    if not all(bool(tensor.isfinite().all()) for tensor in batch.tensors):
        raise WorkbenchError(
            f"The {split.name} inputs hold NaN or infinity, and so do the module's outputs: "
            "replace such inputs with finite numbers."
        )
    raise WorkbenchError(
        f"The module gives NaN or infinity for finite {split.name} inputs: its outputs must be "
        "finite numbers."
    )


def _few(split: Split) -> Any:
    return split.examples[np.arange(min(TRIED, len(split)))]


def _check_device(module: nn.Module) -> None:
    tensors = [*module.parameters(), *module.buffers()]
    if not tensors:
        raise WorkbenchError("The module has no parameters: there is nothing to compress.")
    other = next((t.device for t in tensors if t.device.type != "cpu"), None)
    if other is not None:
        raise WorkbenchError(
            f"The module lies on {other}: move it to the CPU, where files are judged, with "
            "module.cpu()."
        )
    if any(parameter.dtype == torch.float64 for parameter in module.parameters()):
        raise WorkbenchError(
            "The module computes in float64, and files are judged in float32: bring module.float()."
        )


def digest_of(weights: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 (hex) of the names, kinds, shapes and values of `weights`."""
    found = hashlib.sha256()
    for name, tensor in weights.items():
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(tensor.contiguous().flatten().view(torch.uint8).numpy().data)
    return found.hexdigest()


def _fingerprint(weights: str, outputs: Any, task: Task) -> str:
    """Return the SHA-256 (hex) of all that results hang on but recipe and held-out data.

    The weights, what the module computes with them, what it is trained on, and by which loss.
    """
    code = (
        outputs.float().numpy().tobytes() if isinstance(outputs, Tensor) else repr(outputs).encode()
    )
    learned = f"{weights} {task.digest('train')} {task.lot}"
    return hashlib.sha256(learned.encode() + code).hexdigest()


def _file_length(module: nn.Module) -> int:
    """Return the length of the module's own ``.safetensors`` file, its tensors as they are."""
    own = {name: t.detach().contiguous() for name, t in module.named_parameters()}
    saved = module.state_dict()
    own |= {name: b for name, b in module.named_buffers() if name in saved}
    return len(save(own))


def _check_copy(model: Model, weights: dict[str, Tensor], outputs: Any) -> None:
    """Refuse a module that computes something else when its weights are lent to a copy of it."""
    split = model.task.split("validation")
    try:
        found = Shell(model)(weights, model.task.inputs(_few(split)))
    except Exception as error:
        raise WorkbenchError(
            "A copy of the module does not run on weights that are lent to it, so it cannot be "
            f"compressed here: {told(error)}"
        ) from error
    if isinstance(found, Tensor) and isinstance(outputs, Tensor):
        scale = max(1.0, float(outputs.abs().max()))
        halved = HALF if outputs.dtype in {torch.float16, torch.bfloat16} else 1
        if not bool(((found - outputs).abs() <= TOLERANCE * halved * scale).all()):
            raise WorkbenchError(
                "A copy of the module gives other outputs for the same inputs: what it computes "
                "must hang on its inputs, parameters and buffers alone."
            )
