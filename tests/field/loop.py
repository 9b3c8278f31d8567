"""A simple evaluation loop: outputs, metrics and counts with PyTorch and NumPy only."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

BATCH = 16
"""Batch size here, unlike that of the package."""
NEAR = 1e-4
"""Outputs closer than this, relative to the largest, may be in either order in float32."""


def rows(inputs: Any, part: slice) -> Any:
    """Return a copy of some examples of inputs, which are a tensor, a tuple or a dict."""
    if isinstance(inputs, Mapping):
        return {name: rows(one, part) for name, one in inputs.items()}
    if isinstance(inputs, tuple):
        return tuple(rows(one, part) for one in inputs)
    return inputs[part].clone()


def call(module: nn.Module, inputs: Any) -> Any:
    """Call a module with a tensor, a tuple or a dict."""
    if isinstance(inputs, Mapping):
        return module(**inputs)
    return module(*inputs) if isinstance(inputs, tuple) else module(inputs)


def logits(output: Any) -> Tensor:
    """Return the logits among the outputs of a module."""
    if isinstance(output, Tensor):
        return output
    if isinstance(output, Mapping):
        tensors = (one for one in output.values() if isinstance(one, Tensor))
        return output["logits"] if "logits" in output else next(tensors)
    return output.logits if hasattr(output, "logits") else logits(output[0])


@torch.no_grad()
def outputs(module: nn.Module, inputs: Any, batch: int = BATCH) -> Tensor:
    """Return the outputs for all inputs in float64, computed in batches."""
    count = len(next(iter(inputs.values())) if isinstance(inputs, dict) else _first(inputs))
    parts = [slice(at, at + batch) for at in range(0, count, batch)]
    return torch.cat([logits(call(module, rows(inputs, part))).double() for part in parts])


def _first(inputs: Any) -> Tensor:
    return inputs[0] if isinstance(inputs, tuple) else inputs


def metric_value(outputs: Tensor, targets: Tensor, task: str) -> float:
    """Return accuracy, perplexity or root mean squared error."""
    if task == "classes":
        return float((predicted(outputs) == targets).double().mean())
    if task == "numbers":
        return float((outputs - targets.double()).square().mean().sqrt())
    logs = outputs.numpy() - np.logaddexp.reduce(outputs.numpy(), axis=-1, keepdims=True)
    keep = targets.numpy() != -100
    chosen = np.take_along_axis(logs, np.where(keep, targets.numpy(), 0)[..., None], -1)[..., 0]
    return float(np.exp(-chosen[keep].mean()))


def predicted(outputs: Tensor) -> Tensor:
    """Return the class of each example, or -1 if its outputs contain NaN."""
    return outputs.argmax(1).where(~outputs.isnan().any(1), -1)


def confusion(outputs: Tensor, targets: Tensor, classes: int) -> list[list[int]]:
    """Return the confusion matrix: counts by true and predicted class."""
    counts = np.zeros((classes, classes), int)
    classes_found = predicted(outputs)
    valid = classes_found >= 0
    np.add.at(counts, (targets[valid].numpy(), classes_found[valid].numpy()), 1)
    return counts.tolist()


def close_calls(outputs: Tensor) -> int:
    """Return the number of examples whose class is uncertain in float32."""
    best, second = outputs.topk(2, 1).values.T
    return int(((best - second) <= NEAR * best.abs().clamp(min=1)).sum())


def in_double(module: nn.Module, inputs: Any) -> Tensor | None:
    """Return the outputs in float64; None if the module does not support it."""

    def wide(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: wide(one) for name, one in value.items()}
        if isinstance(value, tuple):
            return tuple(map(wide, value))
        return value.double() if value.is_floating_point() else value

    try:
        return outputs(copy.deepcopy(module).double(), wide(inputs))
    except (RuntimeError, TypeError, ValueError, copy.Error):
        return None
