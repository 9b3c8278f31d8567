"""The file that a comparison is about: given, or made from a recipe."""

from __future__ import annotations

from collections.abc import Callable

from workbench.artifact.artifact import Artifact
from workbench.domain import Model
from workbench.domain.file_match import check_fit
from workbench.errors import ArtifactError
from workbench.pipeline import compress
from workbench.recipe import Recipe
from workbench.validation import expect_model, expect_recipe


def artifact_for(
    model: Model, what: Recipe | Artifact, cancelled: Callable[[], bool] = lambda: False
) -> Artifact:
    """Return `what` where it is a file of `model`, else the file that the recipe `what` makes.

    Raises
    ------
    ArtifactError
        When the file is of another model.
    RecipeError
        When `what` is no recipe, or does not fit the model.
    Cancelled
        When `cancelled()` answers True during training.
    """
    expect_model(model)
    if not isinstance(what, Artifact):
        return compress(model, expect_recipe(what), cancelled=cancelled)
    if what.model != model.name:
        raise ArtifactError(f"The file holds {what.model}, not {model.name}: give that model.")
    check_fit(model, what)
    return what
