"""Rounding of layer inputs in training, with the straight-through estimator.

The gradient passes unchanged where an input is inside the range, and is zero outside (Bengio et
al. 2013, arXiv 1308.3432).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from workbench.artifact.module_spec import InputQParams


def round_inputs(module: nn.Module, qparams: Mapping[str, InputQParams]) -> None:
    """Register hooks that quantize the inputs of the layers at the paths of `qparams`."""
    for path, of_layer in qparams.items():
        module.get_submodule(path).register_forward_pre_hook(_rounding(of_layer))


def _rounding(qparams: InputQParams) -> Callable[..., tuple[Tensor, ...]]:
    low, high = -qparams.zero_point, qparams.top - qparams.zero_point

    def hook(_layer: nn.Module, inputs: tuple[Any, ...]) -> tuple[Tensor, ...]:
        steps = (inputs[0].float() / qparams.scale).clamp(low, high)
        return ((steps + (steps.detach().round() - steps.detach())) * qparams.scale,)

    return hook
