"""Quantization parameters of the outputs of convolutions that are added to other outputs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from workbench.artifact.module_spec import InputQParams
from workbench.calibration.examples import calibration_inputs, quick_inputs, run_calibration_batch
from workbench.calibration.observers import fit_qparams
from workbench.domain import Model
from workbench.graph.summed_outputs import summed_outputs
from workbench.recipe import Activations
from workbench.runtime.unfused import unfuse

TRACED = 2
"""Examples that show which outputs are added."""


def fit_output_qparams(
    model: Model,
    weights: Mapping[str, Tensor],
    settings: Activations,
    layers: Collection[str],
) -> dict[str, InputQParams]:
    """Return quantization parameters for the outputs of those of `layers` that are added, by path.

    The ranges are those of the float32 outputs on the calibration examples with decoded `weights`.
    Where negative outputs become zero before anything else reads them, they get no codes.

    Raises
    ------
    InputError
        If some outputs are NaN or infinite.
    """
    few = quick_inputs(model, calibration_inputs(model, TRACED))
    rectified = {
        path: positive
        for path, positive in summed_outputs(model, weights, few).items()
        if path in layers
    }
    outputs: dict[str, list[Tensor]] = {path: [] for path in rectified}
    module = unfuse(model.module())

    def hook_for(path: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def collect(_layer: nn.Module, _inputs: Any, result: Tensor) -> None:
            values = result.detach().flatten()
            outputs[path].append(values.clamp(min=0) if rectified[path] else values.clone())

        return collect

    for path in rectified:
        module.get_submodule(path).register_forward_hook(hook_for(path))
    run_calibration_batch(module, model, weights)
    return {
        path: fit_qparams(path, torch.cat(values), settings)
        for path, values in outputs.items()
        if values
    }
