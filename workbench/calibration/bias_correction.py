"""Bias correction on calibration examples (Nagel et al. 2019, arXiv 1906.04721, section 4.2)."""

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

OnOutputs = Callable[[str, Tensor, int], Tensor | None]
"""Gets a bias's name, the layer's outputs, and their channel axis. May return other outputs."""


def mean_outputs(model: Model, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the mean outputs of the layers whose bias can be corrected, by bias name.

    Float64 [outputs], averaged over calibration examples and positions. A layer is included if it
    runs exactly once, adds its bias last, and has finite outputs.
    """
    means: dict[str, Tensor] = {}
    runs: Counter[str] = Counter()

    def record(name: str, outputs: Tensor, axis: int) -> None:
        runs[name] += 1
        if not outputs.is_nested:  # nested tensors have no channel axis
            means[name] = _mean(outputs, axis)

    _run(model, weights, record, correctable_biases(model, weights))
    return {n: mean for n, mean in means.items() if runs[n] == 1 and _finite(mean)}


def corrected_biases(
    model: Model, weights: Mapping[str, Tensor], targets: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return biases, float32 [outputs], with which `weights` give the mean outputs `targets`.

    One forward pass corrects all layers in order, so each layer sees corrected inputs. Biases
    whose correction is not finite are omitted.
    """
    biases: dict[str, Tensor] = {}

    def correct(name: str, outputs: Tensor, axis: int) -> Tensor | None:
        error = (targets[name] - _mean(outputs, axis)).float()
        if not _finite(error):
            return None
        biases[name] = weights[name] + error
        return outputs + error.view(-1, *[1] * (-1 - axis))

    _run(model, weights, correct, targets)
    return biases


def correctable_biases(model: Model, weights: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Return the names of untied biases of layers that add their bias last."""
    module = model.module()
    tied = tied_names(module)
    layers = {f"{path}.bias".removeprefix("."): layer for path, layer in module.named_modules()}
    return tuple(
        name
        for name, layer in layers.items()
        if name in weights and name not in tied and is_standard_layer(layer, FOLD_TARGETS)
    )


def _run(
    model: Model, weights: Mapping[str, Tensor], on_outputs: OnOutputs, names: Collection[str]
) -> None:
    """Run the calibration examples with `on_outputs` hooked to the layers of `names`."""
    module = unfuse(model.module())

    def hook_for(name: str, axis: int) -> Callable[..., Tensor | None]:
        def hook(_layer: nn.Module, _inputs: Any, outputs: Tensor) -> Tensor | None:
            return on_outputs(name, outputs, axis)

        return hook

    for name in names:
        layer = module.get_submodule(name.rpartition(".")[0])
        layer.register_forward_hook(hook_for(name, _channel_axis(layer)))
    run_calibration_batch(module, model, weights)


def _channel_axis(layer: nn.Module) -> int:
    """Return the channel axis of the outputs of `layer`, counted from the last."""
    return -1 if isinstance(layer, nn.Linear) else -1 - len(layer.kernel_size)  # type: ignore[arg-type]


def _mean(outputs: Tensor, axis: int) -> Tensor:
    moved = outputs.movedim(axis, 0)
    return moved.reshape(len(moved), -1).mean(dim=1, dtype=torch.float64)


def _finite(tensor: Tensor) -> bool:
    return bool(tensor.isfinite().all())
