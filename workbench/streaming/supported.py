"""Recipes that need only the tensors, neither a module nor data."""

from __future__ import annotations

from collections.abc import Callable

from workbench.errors import RecipeError
from workbench.recipe import Recipe
from workbench.recipe.factorize import OUTPUT_AIMS
from workbench.recipe.quantize import COMPENSATED
from workbench.recipe.schema import brief

UNSUPPORTED: tuple[tuple[Callable[[Recipe], object], str], ...] = (
    (
        lambda recipe: recipe.structure and (recipe.structure.removed or recipe.structure.layers),
        "only a module shows which channels are coupled: leave out structure",
    ),
    (lambda recipe: recipe.train, "training needs a module and data: leave out train"),
    (
        lambda recipe: recipe.quantizes_activations,
        "the inputs of layers are observed by running a module on data: leave out activations",
    ),
    (
        lambda recipe: recipe.folds or recipe.equalizes or recipe.needs_post_calibration,
        "batch norm, biases and ranges are adjusted by running a module on data: leave out adjust",
    ),
    (
        lambda recipe: recipe.prune and recipe.prune.criterion in ("gradient", "curvature"),
        "gradients and curvature need a module and data: prune by magnitude",
    ),
    (
        lambda recipe: recipe.prune and recipe.prune.criterion == "random",
        "random pruning draws from all tensors at once: prune by magnitude",
    ),
    (
        lambda recipe: recipe.prune and recipe.prune.scope == "adaptive",
        "the adaptive scope ranks whole layers at once: choose global or uniform",
    ),
    (
        lambda recipe: recipe.factorize and recipe.factorize.aim in OUTPUT_AIMS,
        "the outputs of layers need a module and data: let factors fit the weights",
    ),
    (
        lambda recipe: recipe.quantize and recipe.quantize.rounding in COMPENSATED,
        "compensated rounding needs the inputs of layers: use nearest rounding",
    ),
)
"""What makes a recipe unsuitable for a tensor file, and the reason."""


def check_supported(recipe: object) -> None:
    """Raise `RecipeError` if `recipe` needs a module, data, or all tensors at once."""
    if not isinstance(recipe, Recipe):
        raise RecipeError(
            f"A recipe must be a Recipe, such as Recipe(), not {brief(recipe)}.",
            code="argument.not_a_recipe",
        )
    for needs_more, reason in UNSUPPORTED:
        if needs_more(recipe):
            raise RecipeError(
                f"A file is compressed tensor by tensor, and {reason}.",
                code="recipe.needs_module",
            )
