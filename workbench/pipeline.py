"""From a model and a recipe to an artifact."""

from __future__ import annotations

from workbench.artifact.artifact import Artifact
from workbench.calibration import evidence_for
from workbench.compression.compress import code
from workbench.recipe import Recipe
from workbench.zoo import Model


def compress(model: Model, recipe: Recipe) -> Artifact:
    """Return `model` compressed as `recipe` says; the model itself is not changed.

    Raises
    ------
    RecipeError
        When the recipe does not fit the model.

    >>> import workbench as wb
    >>> recipe = wb.Recipe.from_json('{"prune": {"sparsity": 0.9}, "quantize": {"bits": 4}}')
    >>> artifact = wb.compress(wb.model("fashion/lenet5"), recipe)
    >>> artifact.ledger.total == len(artifact)
    True
    """
    coded = code(model.weights(), recipe, evidence_for(model, recipe))
    return Artifact.of(model.name, recipe, coded)
