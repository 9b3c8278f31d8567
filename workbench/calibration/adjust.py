"""Adjustments after encoding: batch norm and biases on decoded weights, and input ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from workbench.artifact.module_spec import InputQParams, ModuleSpec
from workbench.calibration.batch_norm import recalibrated
from workbench.calibration.bias_correction import corrected_biases, mean_outputs
from workbench.calibration.observers import fit_input_qparams
from workbench.calibration.output_ranges import fit_output_qparams
from workbench.calibration.structure import PreparedNetwork
from workbench.calibration.whole_biases import layers_with_whole_biases, with_fine_zero_rows
from workbench.compression.coded import Coded, Uncompressed
from workbench.domain import Model
from workbench.recipe import Recipe

if TYPE_CHECKING:
    from torch import Tensor


def adjust(
    model: Model,
    recipe: Recipe,
    prepared: PreparedNetwork,
    coded: Mapping[str, Coded],
    qparams: Mapping[str, InputQParams] | None = None,
) -> tuple[dict[str, Coded], ModuleSpec]:
    """Return the tensors of the file, adjusted as `recipe` says, and the spec of its module.

    `qparams` are the quantization parameters of layer inputs that training used, by layer path.
    Without them they are measured.
    """
    tensors = dict(coded)
    shaped = model.with_spec(prepared.spec)
    if not recipe.needs_post_calibration:
        return tensors, prepared.spec
    weights = {name: encoded.tensor() for name, encoded in tensors.items()}
    if recipe.recalibrates:
        _replace(tensors, weights, recalibrated(shaped, weights))
    if recipe.corrects:
        targets = target_means(shaped, prepared)
        _replace(tensors, weights, corrected_biases(shaped, weights, targets))
    spec = prepared.spec
    if recipe.activations is not None and recipe.quantizes_activations:
        qparams = qparams or fit_input_qparams(shaped, weights, recipe.activations)
        spec = replace(spec, inputs=tuple(qparams.items()))
        if recipe.activations.biases == "int32":
            layers = layers_with_whole_biases(tensors, qparams)
            tensors = with_fine_zero_rows(tensors, layers)
            spec = replace(spec, biases=tuple(layers))
        if recipe.activations.sums == "quantized":
            outputs = fit_output_qparams(shaped, weights, recipe.activations, qparams)
            spec = replace(spec, outputs=tuple(outputs.items()))
    return tensors, spec


def _replace(
    tensors: dict[str, Coded], weights: dict[str, Tensor], adjusted: Mapping[str, Tensor]
) -> None:
    weights |= adjusted
    tensors |= {name: Uncompressed.of(tensor) for name, tensor in adjusted.items()}


_means: WeakKeyDictionary[PreparedNetwork, dict[str, Tensor]] = WeakKeyDictionary()


def target_means(shaped: Model, prepared: PreparedNetwork) -> dict[str, Tensor]:
    """Return the mean outputs that bias correction restores.

    They are cached, as they do not depend on the settings of pruning and quantization.
    """
    means = _means.get(prepared)
    if means is None:
        means = _means[prepared] = mean_outputs(shaped, prepared.weights)
    return means
