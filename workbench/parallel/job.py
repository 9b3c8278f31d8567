"""A training run as a folder: JSON, weights and examples. Ranks and other machines need no more."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from workbench.domain import Model, Split
from workbench.domain.initialize import initialize
from workbench.domain.inputs import targets
from workbench.domain.module_tensors import tensors_of
from workbench.errors import InputError
from workbench.parallel.objects import REMOVE, write_object
from workbench.parallel.plan import Plan
from workbench.runtime.batch import Batch
from workbench.runtime.seeding import seeded
from workbench.zoo.tables import ARCHITECTURES

SAMPLE = 500
"""Examples of the validation split on which the metric is estimated during the run, at most."""
SAMPLE_LABELS = 5000
"""Labels of these examples, at most: each position of a sequence may have one."""
RECORDS = 15
"""How often weights are compared."""
LEARNING_RATE = 1e-3
"""The learning rate of models that have no training plan."""
JOB_FILE = "job.json"


def prepare(
    model: Model, plan: Plan, source: str | None, folder: Path, *, portable: bool = False
) -> dict[str, Any]:
    """Write the files of a job into `folder`, and return its JSON.

    Parameters
    ----------
    source
        ``FILE.py:CALLABLE`` that makes the module, or None: a built-in model is made by its name,
        and the module of another is sent to the ranks.
    portable
        Whether programs other than the ranks of this process read the folder. It then must not
        contain objects that only this process can provide.

    Raises
    ------
    InputError
        If the ranks cannot make the module, or cannot compute the model's loss.
    """
    module = describe_module(model, source, folder, portable=portable)
    _check_loss(model)
    plan = with_learning_rate(model, plan)
    train, validation = model.task.split("train"), model.task.split("validation")
    generator = np.random.default_rng(plan.seed)
    rounds = -(-plan.steps * plan.batch // len(train))
    order = np.concatenate([generator.permutation(len(train)) for _round in range(rounds)])
    size = min(SAMPLE, max(1, SAMPLE_LABELS // prod(validation.labels.shape[1:])))
    sample = generator.permutation(len(validation))[:size]
    batch, labels = _tensors(model, train, order[: plan.steps * plan.batch])
    sample_batch, sample_labels = _tensors(model, validation, sample)
    tensors = {f"input.{n}": t for n, t in enumerate(batch.tensors)} | {"labels": labels}
    tensors |= {f"sample.input.{n}": t for n, t in enumerate(sample_batch.tensors)}
    tensors["sample.labels"] = sample_labels
    _save(tensors, folder / "examples.safetensors")
    _save(initial_weights(model, plan), folder / "weights.safetensors")
    records = {plan.steps, *np.linspace(1, plan.steps, RECORDS).astype(int).tolist()}
    job = {
        "plan": plan.as_dict(),
        "module": module,
        "names": None if batch.names is None else list(batch.names),
        "records": sorted(records),
        "baseline": False,
        "run": 0,
        "digests": {
            name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
            for name in ("examples.safetensors", "weights.safetensors")
        },
    }
    (folder / JOB_FILE).write_text(json.dumps(job, indent=1), encoding="utf-8")
    return job


def single_process(job: Mapping[str, Any]) -> dict[str, Any]:
    """Return the job that trains on one process, which the others are compared with."""
    plan = {
        "strategy": "data", "ranks": 1, "sync": "every_step", "shards": [], "machines": 1,
        "latency_ms": 0.0, "bandwidth": 0.0, "weighting": "examples", "schedule": "1f1b",
    }  # fmt: skip
    return {**job, "plan": {**job["plan"], **plan}, "baseline": True}


def describe_module(
    model: Model, source: str | None, folder: Path, *, portable: bool
) -> dict[str, str]:
    """Return how a rank makes the module of `model`, and write its code into `folder` if needed.

    Raises
    ------
    InputError
        If the module cannot be created in other processes, or the source is not a file.
    """
    if model.spec.narrowed:
        raise InputError(
            f"Channels of {model.name} were removed, but ranks train the original network; pass "
            "the original model.",
            code="parallel.narrowed_model",
        )
    if source is None and is_built_in(model):
        return {"name": model.name}
    if source is None:
        if portable:
            raise InputError(
                f"Other machines cannot see the module of {model.name}, which lives in this "
                "process: write its code to a file and pass source='FILE.py:CALLABLE', where the "
                "callable returns the module.",
                code="parallel.source_needed",
            )
        return write_object(
            model.architecture.empty(),
            folder / "module.object",
            f"The module of {model.name}",
            f"{REMOVE}, or write its code to a file and give source='FILE.py:CALLABLE'",
        )
    file, separator, attribute = str(source).rpartition(":")
    path = Path(file)
    if not separator or not attribute or not path.is_file():
        raise InputError(
            f"source must name a Python file and a callable in it, such as 'net.py:make', not "
            f"{source!r}.",
            code="parallel.invalid_source",
        )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"path": str(path.resolve()), "sha256": digest, "attribute": attribute}


def is_built_in(model: Model) -> bool:
    """Return whether other processes find the architecture of `model` by its name."""
    return ARCHITECTURES.get(model.name) == model.architecture


def initial_weights(model: Model, plan: Plan) -> dict[str, Tensor]:
    """Return all tensors of the model at the start of the run."""
    if plan.start == "trained":
        return model.weights()
    return tensors_of(initialize(model.architecture, plan.seed))


def with_learning_rate(model: Model, plan: Plan) -> Plan:
    """Return the plan with the learning rate of the model's training plan, if it has none."""
    if plan.learning_rate:
        return plan
    known = is_built_in(model)
    return replace(
        plan, learning_rate=model.architecture.plan.learning_rate if known else LEARNING_RATE
    )


def _check_loss(model: Model) -> None:
    if model.task.loss_fn is not None:
        raise InputError(
            f"{model.name} has a loss function of its own, which lives in this process; ranks "
            "compute cross-entropy for classes and squared error for numbers. Register the model "
            "without loss=.",
            code="parallel.custom_loss",
        )
    if model.task.split("train").weights is not None:
        raise InputError(
            f"The training examples of {model.name} have weights, which ranks do not use; register "
            "the model without them.",
            code="parallel.example_weights",
        )


def _tensors(model: Model, split: Split, indices: Any) -> tuple[Batch, Tensor]:
    with seeded(0):
        inputs = Batch.of(model.task.inputs(split.examples[indices]))
    labels = targets(split.labels[indices])
    if not isinstance(labels, Tensor):
        raise InputError(
            f"The targets of {model.name} are not one tensor, which ranks need.",
            code="parallel.unsupported_targets",
        )
    return inputs, labels


def _save(tensors: Mapping[str, Tensor], path: Path) -> None:
    copies = {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}
    save_file(copies, path)


def parameter_shapes(model: Model) -> dict[str, torch.Size]:
    """Return the shapes of the parameters that are trained, by name."""
    module = model.unguarded_module()
    return {name: p.shape for name, p in module.named_parameters() if p.requires_grad}
