"""What comes after coding: batch norm and biases measured on the decoded weights, input ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from workbench.artifact.module_spec import Form, InputGrid
from workbench.calibration.batch_norm import recalibrated
from workbench.calibration.bias_correction import corrected, mean_outputs
from workbench.calibration.observers import observed
from workbench.calibration.prepare import Prepared
from workbench.compression.coded import Coded, Plain
from workbench.domain import Model
from workbench.recipe import Recipe

if TYPE_CHECKING:
    from torch import Tensor


def finish(
    model: Model,
    recipe: Recipe,
    prepared: Prepared,
    coded: Mapping[str, Coded],
    grids: Mapping[str, InputGrid] | None = None,
) -> tuple[dict[str, Coded], Form]:
    """Return the tensors of the file, adjusted as `recipe` says, and the form of its module.

    `grids` are those for the inputs of layers that training has settled, by path; without them
    they are observed.
    """
    done = dict(coded)
    shaped = model.in_form(prepared.form)
    if not recipe.looks_again:
        return done, prepared.form
    weights = {name: one.tensor() for name, one in done.items()}
    if recipe.recalibrates:
        found = recalibrated(shaped, weights)
        weights |= found
        done |= {name: Plain.of(tensor) for name, tensor in found.items()}
    if recipe.corrects:
        found = corrected(shaped, weights, wanted_means(shaped, prepared))
        weights |= found
        done |= {name: Plain.of(tensor) for name, tensor in found.items()}
    form = prepared.form
    if recipe.activations is not None and recipe.rounds_inputs:
        grids = grids or observed(shaped, weights, recipe.activations)
        form = replace(form, inputs=tuple(grids.items()))
    return done, form


_means: WeakKeyDictionary[Prepared, dict[str, Tensor]] = WeakKeyDictionary()


def wanted_means(shaped: Model, prepared: Prepared) -> dict[str, Tensor]:
    """Return the mean outputs that corrected biases bring back: a slider moves, these stay."""
    found = _means.get(prepared)
    if found is None:
        found = _means[prepared] = mean_outputs(shaped, prepared.weights)
    return found
