"""Compression without training: from a model and a recipe to encoded tensors."""

from __future__ import annotations

from workbench.artifact.module_spec import ModuleSpec
from workbench.calibration.finish import finish
from workbench.calibration.prepare import prepare
from workbench.calibration.statistics import calibration_stats
from workbench.compression.coded import Coded
from workbench.compression.encode import encode_tensors
from workbench.domain import Model
from workbench.recipe import Recipe


def compress_untrained(model: Model, recipe: Recipe) -> tuple[dict[str, Coded], ModuleSpec]:
    """Return the encoded tensors of a file, and the spec of its module.

    Raises
    ------
    RecipeError
        When the recipe does not fit the model.
    """
    prepared = prepare(model, recipe, calibration_stats(model, recipe))
    coded = encode_tensors(prepared.weights, recipe, prepared.stats, roles=model.roles)
    return finish(model, recipe, prepared, coded)
