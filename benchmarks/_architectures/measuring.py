"""One architecture brought as a person's own module, measured, and compared with a plain loop."""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from torch import Tensor

import workbench as wb
from _architectures.architecture import Architecture, Inputs
from _architectures.trial import fresh, randomize
from tests.field import loop

RECIPE = wb.Recipe(prune=wb.Prune(0.5), quantize=wb.Quantize(bits=4))
SEEDS = {"train": (11, 12), "validation": (21, 22, 23, 24), "test": (31, 32)}
"""Of the inputs in each split."""
NEAR = 1e-4
"""Share of a figure by which rounding in float32 may move it."""


@dataclass(frozen=True)
class Measured:
    """What came of measuring it: why it was refused, or what was wrong."""

    refused: str = ""
    fault: str = ""


def measured(architecture: Architecture) -> Measured:
    """Measure as it is and compressed, and compare both figures with our own loop's."""
    module = fresh(architecture, 0)
    randomize(module, 0)
    splits = {name: _examples(architecture, seeds) for name, seeds in SEEDS.items()}
    try:
        data = {name: (inputs, _targets(module, inputs)) for name, inputs in splits.items()}
    except RuntimeError as error:  # as of networks that take one graph, whose rows are its nodes
        return Measured(refused=f"inputs do not join into a batch: {error}")
    name = re.sub(r"[^\w.+-]+", "-", architecture.name)
    try:
        model = wb.from_module(module, **data, name=name)
        return Measured(fault=_difference(model, *data["validation"]))
    except wb.WorkbenchError as error:
        return Measured(refused=str(error))
    except Exception as error:  # noqa: BLE001 - of whatever type, it should have been a sentence
        return Measured(fault=f"measured: {type(error).__name__}: {error}")


def _difference(model: wb.Model, inputs: Inputs, targets: Tensor) -> str:
    """Return how a figure differs from that of a plain loop; nothing where none does."""
    task = "numbers" if targets.is_floating_point() else "classes"
    for recipe in (wb.Recipe(), RECIPE):
        report = wb.measure(model, recipe, timed=False)
        outputs = loop.outputs(wb.to_module(wb.compress(model, recipe)), inputs, batch=4)
        right = loop.figure(outputs, targets, task)
        doubtful = 0.0 if task == "numbers" else loop.close_calls(outputs) / len(targets)
        if abs(report.value - right) > NEAR * max(abs(right), 1e-3) + doubtful:
            return f"measured: reports {report.metric} {report.value}, a plain loop {right}"
    return ""


def _examples(architecture: Architecture, seeds: tuple[int, ...]) -> Inputs:
    """Return the inputs of several seeds in one batch."""
    drawn = [architecture.inputs(seed) for seed in seeds]
    first = drawn[0]
    if isinstance(first, dict):
        return {name: torch.cat([one[name] for one in drawn]) for name in first}
    whole = tuple(torch.cat(parts) for parts in zip(*drawn, strict=True))
    return whole[0] if len(whole) == 1 else whole


@torch.no_grad()
def _targets(module: torch.nn.Module, inputs: Inputs) -> Tensor:
    """Return classes or numbers near to what the module puts out."""
    outputs = loop.logits(loop.call(module, loop.rows(inputs, slice(None))))
    lot = torch.Generator().manual_seed(5)
    if outputs.ndim == 2 and outputs.shape[1] > 1:
        near = outputs + outputs.std() * torch.randn(outputs.shape, generator=lot)
        return near.argmax(1)
    return outputs + 0.1 * outputs.std() * torch.randn(outputs.shape, generator=lot)
