"""Bias correction (Nagel et al. 2019, arXiv 1906.04721, section 4.2), from calibration examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from workbench.adjustment.examples import pass_through
from workbench.zoo import Model
from workbench.zoo.rewrite import LAYERS
from workbench.zoo.unfused import unfused

See = Callable[[str, Tensor, int], Tensor | None]
"""Given a bias's name, the layer's outputs, and which axis of them has its channels."""


def mean_outputs(model: Model, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the mean of each output of the layers that have a bias, by the bias's name.

    Float64 [outputs], over the calibration examples and all places of each.
    """
    found: dict[str, Tensor] = {}

    def see(name: str, outputs: Tensor, axis: int) -> None:
        found[name] = _mean(outputs, axis)

    _run(model, weights, see)
    return found


def corrected(
    model: Model, weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return biases, float32 [outputs], with which `weights` give the means `wanted`, by name.

    In one pass: each layer is corrected as the pass goes through it, so that the next one sees its
    inputs as they will be.
    """
    found: dict[str, Tensor] = {}

    def see(name: str, outputs: Tensor, axis: int) -> Tensor:
        error = (wanted[name] - _mean(outputs, axis)).float()
        found[name] = weights[name] + error
        return outputs + error.view(-1, *[1] * (outputs.ndim - 1 - axis % outputs.ndim))

    _run(model, weights, see)
    return found


def _run(model: Model, weights: Mapping[str, Tensor], see: See) -> None:
    """Run the calibration examples and call `see` with the outputs of each layer with a bias."""
    module = unfused(model.module())

    def watch(name: str) -> Callable[..., Tensor | None]:
        def hook(layer: nn.Module, _inputs: Any, outputs: Tensor) -> Tensor | None:
            return see(name, outputs, -1 if isinstance(layer, nn.Linear) else 1)

        return hook

    for path, layer in module.named_modules():
        name = f"{path}.bias".removeprefix(".")
        if isinstance(layer, LAYERS) and name in weights:  # else there is none, or a tied one
            layer.register_forward_hook(watch(name))
    pass_through(module, model, weights)


def _mean(outputs: Tensor, axis: int) -> Tensor:
    return outputs.movedim(axis, 0).flatten(1).mean(dim=1, dtype=torch.float64)
