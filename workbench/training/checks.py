"""Checks that training settings fit a model. They raise before any work, without PyTorch."""

from __future__ import annotations

from workbench import formatting
from workbench.domain import Model
from workbench.errors import RecipeError
from workbench.i18n import _
from workbench.recipe import Train


def check_settings(model: Model, settings: Train) -> None:
    """Raise `RecipeError` if the training settings do not fit the model or its data."""
    _check_depth(model, settings)
    _check_augmentation(model, settings)
    _check_labels(model, settings)


def has_augmentation(settings: Train) -> bool:
    """Whether the recipe changes the inputs of each step at random."""
    return bool(settings.shift) or settings.mirror != "never"


def _check_depth(model: Model, settings: Train) -> None:
    most = model.architecture.most_left_out if settings.left_out else 0
    if settings.left_out > most:
        raise RecipeError(
            _("{model} can leave out at most {most} of its layers or blocks.").format(
                model=model.name, most=formatting.count(most)
            ),
            code="recipe.too_many_left_out",
        )


def _check_augmentation(model: Model, settings: Train) -> None:
    if has_augmentation(settings) and model.task.input_type != "image":
        raise RecipeError(
            _("Only images can be shifted or mirrored: set shift to 0 and mirror to never."),
            code="recipe.augmentation_needs_images",
        )


def _check_labels(model: Model, settings: Train) -> None:
    if settings.labels == 1:
        return
    if model.task.loss_fn is not None:
        raise RecipeError(
            _(
                "{model} has a custom loss, which needs the label of each example: set labels to 1."
            ).format(model=model.name),
            code="training.labels_with_custom_loss",
        )
    if model.task.metric.counts != "classes":
        raise RecipeError(
            _(
                "Only labels of classes can be left out, and {model} has none: set labels to 1."
            ).format(model=model.name),
            code="training.labels_without_classes",
        )
