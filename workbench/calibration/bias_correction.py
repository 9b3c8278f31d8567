"""Bias correction (Nagel et al. 2019, arXiv 1906.04721, section 4.2), from calibration examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from workbench.calibration.examples import run_calibration_batch
from workbench.domain import Model
from workbench.graph.foldable_norms import tied_names
from workbench.runtime.build import FOLD_TARGETS, is_standard_layer
from workbench.runtime.unfused import unfuse

See = Callable[[str, Tensor, int], Tensor | None]
"""Given a bias's name, the layer's outputs, and which axis of them has its channels."""


def mean_outputs(model: Model, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the mean of each output of the layers whose bias can be corrected, by its name.

    Float64 [outputs], over the calibration examples and all places of each. A layer is left out
    unless it runs exactly once, adds its bias last, and puts out finite numbers.
    """
    found: dict[str, Tensor] = {}
    runs: Counter[str] = Counter()

    def see(name: str, outputs: Tensor, axis: int) -> None:
        runs[name] += 1
        if not outputs.is_nested:  # nested tensors have no axes to count
            found[name] = _mean(outputs, axis)

    _run(model, weights, see, correctable_biases(model, weights))
    return {n: mean for n, mean in found.items() if runs[n] == 1 and _finite(mean)}


def corrected_biases(
    model: Model, weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return biases, float32 [outputs], with which `weights` give the means `wanted`, by name.

    In one pass: each layer is corrected as the pass goes through it, so that the next one sees its
    inputs as they will be. A bias is left out whose correction would not be finite.
    """
    found: dict[str, Tensor] = {}

    def see(name: str, outputs: Tensor, axis: int) -> Tensor | None:
        error = (wanted[name] - _mean(outputs, axis)).float()
        if not _finite(error):
            return None
        found[name] = weights[name] + error
        return outputs + error.view(-1, *[1] * (-1 - axis))

    _run(model, weights, see, wanted)
    return found


def correctable_biases(model: Model, weights: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Return the names of the biases of layers that add them last, each its layer's alone."""
    module = model.module()
    tied = tied_names(module)
    named = {f"{path}.bias".removeprefix("."): layer for path, layer in module.named_modules()}
    return tuple(
        name
        for name, layer in named.items()
        if name in weights and name not in tied and is_standard_layer(layer, FOLD_TARGETS)
    )


def _run(model: Model, weights: Mapping[str, Tensor], see: See, names: Collection[str]) -> None:
    """Run the calibration examples and call `see` with the outputs of the layers of `names`."""
    module = unfuse(model.module())

    def watch(name: str, axis: int) -> Callable[..., Tensor | None]:
        def hook(_layer: nn.Module, _inputs: Any, outputs: Tensor) -> Tensor | None:
            return see(name, outputs, axis)

        return hook

    for name in names:
        layer = module.get_submodule(name.rpartition(".")[0])
        layer.register_forward_hook(watch(name, _axis(layer)))
    run_calibration_batch(module, model, weights)


def _axis(layer: nn.Module) -> int:
    """Return which axis of the outputs of `layer` has its channels, counted from the last."""
    return -1 if isinstance(layer, nn.Linear) else -1 - len(layer.kernel_size)  # type: ignore[arg-type]


def _mean(outputs: Tensor, axis: int) -> Tensor:
    moved = outputs.movedim(axis, 0)
    return moved.reshape(len(moved), -1).mean(dim=1, dtype=torch.float64)


def _finite(tensor: Tensor) -> bool:
    return bool(tensor.isfinite().all())
