"""The whole of compression without training: from a model and a recipe to coded tensors."""

from __future__ import annotations

from workbench.artifact.module_spec import Form
from workbench.calibration.finish import finish
from workbench.calibration.prepare import prepare
from workbench.calibration.statistics import evidence_for
from workbench.compression.coded import Coded
from workbench.compression.encode import code
from workbench.domain import Model
from workbench.recipe import Recipe


def untrained(model: Model, recipe: Recipe) -> tuple[dict[str, Coded], Form]:
    """Return the tensors of a file, and the form of its module.

    Raises
    ------
    RecipeError
        When the recipe does not fit the model.
    """
    ready = prepare(model, recipe, evidence_for(model, recipe))
    coded = code(ready.weights, recipe, ready.evidence, roles=model.roles)
    return finish(model, recipe, ready, coded)
