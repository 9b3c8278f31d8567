"""Inputs of layers rounded in training, with the gradient of the inputs themselves.

Gradients pass where an input is inside its range, as if nothing had been rounded (the
straight-through estimator: Bengio et al. 2013, arXiv 1308.3432), and stop outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from workbench.artifact.module_spec import InputQParams


def round_inputs(module: nn.Module, qparams: Mapping[str, InputQParams]) -> None:
    """Make the layers of `module` at the paths of `grids` see their inputs on those grids."""
    for path, grid in qparams.items():
        module.get_submodule(path).register_forward_pre_hook(_rounding(grid))


def _rounding(grid: InputQParams) -> Callable[..., tuple[Tensor, ...]]:
    low, high = -grid.zero_point, grid.top - grid.zero_point

    def hook(_layer: nn.Module, inputs: tuple[Any, ...]) -> tuple[Tensor, ...]:
        steps = (inputs[0].float() / grid.scale).clamp(low, high)
        return ((steps + (steps.detach().round() - steps.detach())) * grid.scale,)

    return hook
