"""What comes after coding: batch norm and biases measured on the decoded weights, input ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from workbench.artifact.module_spec import InputQParams, ModuleSpec
from workbench.calibration.batch_norm import recalibrated
from workbench.calibration.bias_correction import corrected_biases, mean_outputs
from workbench.calibration.observers import observe_inputs
from workbench.calibration.prepare import PreparedNetwork
from workbench.compression.coded import Coded, Uncompressed
from workbench.domain import Model
from workbench.recipe import Recipe

if TYPE_CHECKING:
    from torch import Tensor


def finish(
    model: Model,
    recipe: Recipe,
    prepared: PreparedNetwork,
    coded: Mapping[str, Coded],
    qparams: Mapping[str, InputQParams] | None = None,
) -> tuple[dict[str, Coded], ModuleSpec]:
    """Return the tensors of the file, adjusted as `recipe` says, and the form of its module.

    `grids` are those for the inputs of layers that training has settled, by path; without them
    they are observed.
    """
    done = dict(coded)
    shaped = model.with_spec(prepared.form)
    if not recipe.needs_post_calibration:
        return done, prepared.form
    weights = {name: one.tensor() for name, one in done.items()}
    if recipe.recalibrates:
        found = recalibrated(shaped, weights)
        weights |= found
        done |= {name: Uncompressed.of(tensor) for name, tensor in found.items()}
    if recipe.corrects:
        found = corrected_biases(shaped, weights, target_means(shaped, prepared))
        weights |= found
        done |= {name: Uncompressed.of(tensor) for name, tensor in found.items()}
    form = prepared.form
    if recipe.activations is not None and recipe.quantizes_activations:
        qparams = qparams or observe_inputs(shaped, weights, recipe.activations)
        form = replace(form, inputs=tuple(qparams.items()))
    return done, form


_means: WeakKeyDictionary[PreparedNetwork, dict[str, Tensor]] = WeakKeyDictionary()


def target_means(shaped: Model, prepared: PreparedNetwork) -> dict[str, Tensor]:
    """Return the mean outputs that corrected biases bring back: a slider moves, these stay."""
    found = _means.get(prepared)
    if found is None:
        found = _means[prepared] = mean_outputs(shaped, prepared.weights)
    return found
