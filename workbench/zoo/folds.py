"""Which batch norms of a model can become part of the layer before them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import nn

from workbench.compression.fold import Fold
from workbench.zoo.batch import call
from workbench.zoo.brought import tensors_of
from workbench.zoo.builtin import Architecture
from workbench.zoo.fresh import fresh
from workbench.zoo.rewrite import LAYERS, NORMS


@cache
def folds(architecture: Architecture) -> tuple[Fold, ...]:
    """Return each batch norm that normalises the very output of a layer, and nothing else does.

    Found by running the architecture once and following its tensors.
    """
    module = fresh(architecture).eval()
    made: dict[int, str] = {}
    alive: list[Any] = []  # an identity belongs to one tensor only while it lives
    found: list[Fold] = []

    def after(path: str) -> Callable[..., None]:
        def hook(_layer: nn.Module, _inputs: tuple[Any, ...], output: Any) -> None:
            made[id(output)] = path
            alive.append(output)

        return hook

    def before(path: str, norm: nn.BatchNorm1d | nn.BatchNorm2d) -> Callable[..., None]:
        def hook(_layer: nn.Module, inputs: tuple[Any, ...]) -> None:
            layer = made.pop(id(inputs[0]), None)
            if layer is not None and norm.track_running_stats:
                found.append(Fold(path, layer, norm.eps))

        return hook

    for path, child in module.named_modules():
        if isinstance(child, LAYERS):
            child.register_forward_hook(after(path))
        elif isinstance(child, NORMS):
            child.register_forward_pre_hook(before(path, child))
    example = architecture.task.inputs(architecture.task.split("validation").examples[:1])
    with torch.no_grad():
        call(module, tensors_of(module), example)
    return tuple(found)
