"""Measure one architecture as a user module, and compare with a simple loop."""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from torch import Tensor

import workbench as wb
from _architectures.architecture import Architecture, Inputs
from _architectures.trial import build, randomize
from tests.field import loop

RECIPE = wb.Recipe(prune=wb.Prune(0.5), quantize=wb.Quantize(bits=4))
SEEDS = {"train": (11, 12), "validation": (21, 22, 23, 24), "test": (31, 32)}
"""The seeds of the inputs in each split."""
TOLERANCE = 1e-4
"""Relative difference that float32 rounding may cause."""


@dataclass(frozen=True)
class Measured:
    """The result of measuring: why it was refused, or what was wrong."""

    refused: str = ""
    fault: str = ""


def measured(architecture: Architecture) -> Measured:
    """Measure the original and a compressed file, and compare both with a simple loop."""
    module = build(architecture, 0)
    randomize(module, 0)
    splits = {name: _examples(architecture, seeds) for name, seeds in SEEDS.items()}
    try:
        data = {name: (inputs, _targets(module, inputs)) for name, inputs in splits.items()}
    except RuntimeError as error:  # for example, a network on one graph, whose rows are nodes
        return Measured(refused=f"inputs do not join into a batch: {error}")
    name = re.sub(r"[^\w.+-]+", "-", architecture.name)
    try:
        model = wb.from_module(module, **data, name=name)
        return Measured(fault=_difference(model, *data["validation"]))
    except wb.WorkbenchError as error:
        return Measured(refused=str(error))
    except Exception as error:  # noqa: BLE001 - any other type is a fault
        return Measured(fault=f"measured: {type(error).__name__}: {error}")


def _difference(model: wb.Model, inputs: Inputs, targets: Tensor) -> str:
    """Return how a reported value differs from that of a simple loop, or an empty string."""
    task = "numbers" if targets.is_floating_point() else "classes"
    for recipe in (wb.Recipe(), RECIPE):
        report = wb.measure(model, recipe, timed=False)
        outputs = loop.outputs(wb.to_module(wb.compress(model, recipe)), inputs, batch=4)
        expected = loop.metric_value(outputs, targets, task)
        borderline = 0.0 if task == "numbers" else loop.close_calls(outputs) / len(targets)
        if abs(report.value - expected) > TOLERANCE * max(abs(expected), 1e-3) + borderline:
            return f"measured: reports {report.metric} {report.value}, a simple loop {expected}"
    return ""


def _examples(architecture: Architecture, seeds: tuple[int, ...]) -> Inputs:
    """Return the inputs of several seeds in one batch."""
    drawn = [architecture.inputs(seed) for seed in seeds]
    first = drawn[0]
    if isinstance(first, dict):
        return {name: torch.cat([inputs[name] for inputs in drawn]) for name in first}
    batch = tuple(torch.cat(parts) for parts in zip(*drawn, strict=True))
    return batch[0] if len(batch) == 1 else batch


@torch.no_grad()
def _targets(module: torch.nn.Module, inputs: Inputs) -> Tensor:
    """Return classes or numbers close to the module's outputs."""
    outputs = loop.logits(loop.call(module, loop.rows(inputs, slice(None))))
    rng = torch.Generator().manual_seed(5)
    if outputs.ndim == 2 and outputs.shape[1] > 1:
        noisy = outputs + outputs.std() * torch.randn(outputs.shape, generator=rng)
        return noisy.argmax(1)
    return outputs + 0.1 * outputs.std() * torch.randn(outputs.shape, generator=rng)
