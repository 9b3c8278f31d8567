"""Bringing a model of one's own: any module with any data, treated like a built-in one."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

from workbench.errors import WorkbenchError
from workbench.evaluation.report import Score
from workbench.evaluation.resources import layers, macs, peak_memory
from workbench.evaluation.scores import judge_score
from workbench.kept import Files, default_files
from workbench.own.data import split_of
from workbench.own.metrics import metric_for
from workbench.recipe.schema import brief
from workbench.zoo import Model, Split, Task
from workbench.zoo.batch import Batch, outputs_of
from workbench.zoo.brought import Brought, Held, OwnTask, tensors_of, versions_of
from workbench.zoo.metric import Metric
from workbench.zoo.registry import OWN
from workbench.zoo.registry import bring as remember
from workbench.zoo.rows import collated
from workbench.zoo.shell import Shell

TRIED = 4
"""Examples of the batch on which a module is tried."""
HALF = 100
"""That tolerance times this for a module in half precision, which is run in float32 here."""
CARD = 1
"""Raised when a card is measured otherwise."""
TOLERANCE = 1e-3
"""How far a copy's outputs may lie from the module's own, in proportion to the largest."""


def bring(
    module: nn.Module,
    *,
    train: Any,
    validation: Any,
    test: Any,
    name: str = "model",
    metric: Any = None,
    loss: Callable[[Any, Any], Tensor] | None = None,
    classes: Sequence[str] | None = None,
) -> Model:
    """Return your own module as a model: sliders, training, ledger and download work on it.

    The module is neither changed nor copied, nor is the data; only do not train the module further
    while it is in use here. It runs in eval mode.

    Parameters
    ----------
    module
        On the CPU. It is called with the inputs: a tensor, several, or a dict by argument name.
        What it returns is its output; of named outputs the ``logits`` count.
    train, validation, test
        A Dataset, a DataLoader, a pair of arrays or tensors (inputs, targets), or an iterable of
        such pairs.
    name
        What to call it; the model is then known as ``own/name``.
    metric
        The usual one of such targets unless given: accuracy for classes, perplexity where every
        place of a sequence is a class (targets of -100 do not count), root mean squared error for
        numbers. Or a name, ``bits per character``, ``explained variance``, ``mean average
        precision``; or a torchmetrics object, or a function of all outputs and all targets.
    loss
        What training makes small, given outputs and targets; cross-entropy for classes and
        squared error for numbers unless given.
    classes
        The classes' names.

    Raises
    ------
    WorkbenchError
        When the module does not take the data, or the data does not fit the metric.

    >>> import torch, workbench as wb
    >>> inputs, targets = torch.randn(60, 4), torch.randint(0, 3, (60,))
    >>> data = {split: (inputs, targets) for split in ("train", "validation", "test")}
    >>> model = wb.bring(torch.nn.Linear(4, 3), **data, name="small")
    >>> wb.measure(model, wb.Recipe(quantize=wb.Quantize(bits=4)), timed=False).total
    60
    """
    if not isinstance(module, nn.Module):
        raise WorkbenchError(f"Give a torch.nn.Module to bring, not {brief(module)}.")
    _check_device(module)
    if not re.fullmatch(r"[\w.+-]{1,64}", str(name)):
        raise WorkbenchError(
            f"{name!r} cannot be a model's name: use up to 64 letters, digits and . + - _"
        )
    splits = [
        split_of(n, d) for n, d in (("train", train), ("validation", validation), ("test", test))
    ]
    outputs = _tried(module, splits[1], collated)
    chosen, measure = metric_for(metric, outputs, splits[1])
    names = _class_names(classes, chosen, outputs, splits)
    task = OwnTask(
        name=f"{OWN}{name}",
        title=name,
        classes=names,
        source="",
        licence="",
        sources=tuple(Held(split) for split in splits),
        form="own",
        metric=chosen,
        measure=measure,
        lose=loss,
    )
    model = _model(module, task, outputs, Brought(task.name, task, task.title))
    remember(model)
    return model


def bring_for(module: nn.Module, task: Task) -> Model:
    """Return `module`, trained for a whole `task` of its own, as a model of the task's name.

    Raises
    ------
    WorkbenchError
        When the module does not take the task's inputs.
    """
    outputs = _tried(module, task.split("validation"), task.inputs)
    model = _model(module, task, outputs, Brought(task.name, task, task.title))
    remember(model)
    return model


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


def model_of(module: nn.Module, task: Task, name: str, title: str) -> Model:
    """Return a module as a model of a task that exists; what was measured of it before is kept.

    Raises
    ------
    WorkbenchError
        When the module does not take the task's data.
    """
    _check_device(module)
    outputs = _tried(module, task.split("validation"), task.inputs)
    return _model(module, task, outputs, Brought(name, task, title), default_files())


def _tried(module: nn.Module, split: Split, inputs: Callable[[Any], Any]) -> Any:
    """Return what the module gives for a few examples, as it is."""
    before = module.training
    module.eval()
    try:
        batch = Batch.of(inputs(_few(split)))
        with torch.no_grad():
            named = batch.names
            found = (
                module(*batch.tensors)
                if named is None
                else module(**dict(zip(named, batch.tensors, strict=True)))
            )
    except WorkbenchError:
        raise
    except Exception as error:
        raise WorkbenchError(
            f"The module fails on the first {split.name} batch with {type(error).__name__}: "
            f"{str(error).splitlines()[0] if str(error) else 'no reason given'}"
        ) from error
    finally:
        module.train(before)
    return outputs_of(found)


def _few(split: Split) -> Any:
    return split.examples[np.arange(min(TRIED, len(split)))]


def _class_names(
    classes: Sequence[str] | None, metric: Metric, outputs: Any, splits: Sequence[Split]
) -> tuple[str, ...]:
    if metric.counts not in {"classes", "tokens"}:
        return tuple(classes or ())
    count = outputs.shape[-1]
    for split in splits:
        counting = split.labels[split.labels != -100] if metric.counts == "tokens" else split.labels
        low, high = int(counting.min(initial=0)), int(counting.max(initial=0))
        if low < 0 or high >= count:
            wrong = low if low < 0 else high
            raise WorkbenchError(
                f"The {split.name} targets hold the class {wrong:,}, but the module tells "
                f"{count:,} classes apart, 0 to {count - 1:,}."
            )
    if classes is not None and len(classes) != count:
        raise WorkbenchError(
            f"classes names {len(classes):,} classes, but the module tells {count:,} apart."
        )
    return tuple(classes) if classes is not None else tuple(map(str, range(count)))


def _model(
    module: nn.Module, task: Task, outputs: Any, named: Brought, files: Files | None = None
) -> Model:
    """Return the model of that name; its card is looked for in `files`, and kept there."""
    weights = tensors_of(module)
    fingerprint = hashlib.sha256()
    for name, tensor in weights.items():
        fingerprint.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        fingerprint.update(tensor.contiguous().flatten().view(torch.uint8).numpy().data)
    code = (
        outputs.float().numpy().tobytes() if isinstance(outputs, Tensor) else repr(outputs).encode()
    )
    fingerprint.update(code)  # what it computes counts too, not the weights alone
    digest = fingerprint.hexdigest()
    made = replace(named, fingerprint=digest, held=module, versions=versions_of(module))
    model = Model(made, {"sha256": digest})
    _check_copy(model, weights, outputs)
    splits = " ".join(task.digest(split) for split in ("validation", "test"))
    key = f"card {CARD} {digest} {splits} torch-{version('torch')}"
    blob = files.get(key) if files is not None else None
    model.card.update(json.loads(blob) if blob is not None else _measured(model, weights))
    if files is not None and blob is None:
        files.put(key, json.dumps(model.card).encode())
    return model


def _measured(model: Model, weights: dict[str, Tensor]) -> dict[str, Any]:
    """Return what a card says beside the digest; what is judged is paced by the rest of it."""
    module = model.architecture.held  # type: ignore[attr-defined]
    card = model.card
    card |= {
        "parameters": sum(p.numel() for p in module.parameters()),
        "tensors": {name: list(tensor.shape) for name, tensor in weights.items()},
        "original_bytes": _file_length(module),
        "training": {"seconds": None},
    }
    card |= {
        "macs": macs(model, weights),
        "peak_memory": peak_memory(model, weights),
        "layers": layers(model, weights),
    }
    card["accuracy"] = {
        split: counted(judge_score(model, weights, model.task.split(split)))
        for split in ("validation", "test")
    }
    return card


def counted(score: Score) -> dict[str, float]:
    """Return what a card says of an original's score."""
    return {**score.figures, "value": score.value, "examples": score.total}


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
            f"compressed here: {type(error).__name__}: {str(error).splitlines()[0]}"
        ) from error
    if isinstance(found, Tensor) and isinstance(outputs, Tensor):
        scale = max(1.0, float(outputs.abs().max()))
        halved = HALF if outputs.dtype in {torch.float16, torch.bfloat16} else 1
        if not bool(((found - outputs).abs() <= TOLERANCE * halved * scale).all()):
            raise WorkbenchError(
                "A copy of the module gives other outputs for the same inputs: what it computes "
                "must hang on its inputs, parameters and buffers alone."
            )
