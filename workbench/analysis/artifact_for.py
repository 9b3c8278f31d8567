"""Resolve a recipe or an artifact to an artifact of the given model."""

from __future__ import annotations

from workbench.arguments import expect_recipe
from workbench.artifact.artifact import Artifact
from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model
from workbench.domain.file_match import check_fit, same_origin, same_preprocessing
from workbench.errors import ArtifactError
from workbench.recipe import Recipe
from workbench.training.compress import compress
from workbench.validation import expect_model


def artifact_for(
    model: Model, compressed: Recipe | Artifact, cancel: CancelToken = NEVER
) -> Artifact:
    """Return an artifact of `model`: `compressed` itself, or the result of that recipe.

    Raises
    ------
    ArtifactError
        If the artifact belongs to another model.
    RecipeError
        If `compressed` is neither a recipe nor an artifact, or does not fit the model.
    Cancelled
        If `cancel` is cancelled during training.
    """
    expect_model(model)
    if not isinstance(compressed, Artifact):
        return compress(model, expect_recipe(compressed), cancel=cancel)
    if not (same_origin(model, compressed) and same_preprocessing(model, compressed)):
        raise ArtifactError(
            f"The file was not made from the data or with the choices of {model.name}: pass "
            "the model that it was made from.",
            code="artifact.other_data",
        )
    if compressed.preprocessing is None and compressed.model != model.name:
        raise ArtifactError(
            f"The file holds {compressed.model}, not {model.name}: pass that model.",
            code="artifact.other_model",
        )
    check_fit(model, compressed)
    return compressed
