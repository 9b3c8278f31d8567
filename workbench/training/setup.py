"""From a built-in model and a recipe to what there is to learn."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from workbench.artifact.module_spec import InputQParams, ModuleSpec
from workbench.calibration.observers import observe_inputs
from workbench.calibration.prepare import PreparedNetwork, prepare
from workbench.calibration.statistics import calibration_stats
from workbench.domain import Model
from workbench.domain.initialize import initialize
from workbench.domain.user_architecture import tensors_of
from workbench.errors import RecipeError
from workbench.recipe import Recipe, Train
from workbench.runtime.traits import BUILT_IN
from workbench.training.microbatch import has_augmentation
from workbench.training.running_metric import RunningMetric, Sample
from workbench.training.teacher import Teacher, check_output_shapes, load_teacher
from workbench.training.types import TrainingSetup


def training_setup(
    model: Model, recipe: Recipe, cancelled: Callable[[], bool] = lambda: False
) -> TrainingSetup:
    """Return the training split of `model`'s task with the start and the teacher of `recipe`.

    Raises
    ------
    UnknownNameError
        When the teacher does not exist.
    RecipeError
        When the teacher is of another task, examples that are no images are to be shifted or
        mirrored, no parameter requires gradients, a fresh start comes with evidence of the trained
        weights, or the recipe does not fit the network of its width and depth.
    Cancelled
        When `cancelled()` answers True while the teacher's outputs are computed.
    """
    assert recipe.train is not None
    loss = _objective(model, recipe.train)
    check_depth(model, recipe.train)
    check_augmentation(model, recipe.train)
    split = model.task.split("train")
    ready = starting_network(model, recipe)
    shaped = model.with_spec(ready.form)
    roles = shaped.roles
    recipe.check_names([n for n in roles.layers if n in ready.weights])  # not when all is trained
    module = shaped.module()
    if not any(parameter.requires_grad for parameter in module.parameters()):
        raise RecipeError(
            f"No parameter of {model.name} requires gradients, so there is nothing to train: call "
            "module.requires_grad_(True) and give the module again."
        )
    teacher = _teacher(model, recipe.train, cancelled)
    if teacher is not None and teacher.task is not model.task:
        check_output_shapes(teacher, module, ready.weights, model.task.inputs(split.examples[:2]))
    return TrainingSetup(
        module=module,
        prepared=ready,
        roles=roles,
        examples=split.examples,
        labels=split.labels,
        inputs=model.task.inputs,
        teacher=teacher,
        input_qparams=_input_grids(shaped, ready, recipe),
        held_out=_held_out(model) if recipe.train.patience else None,
        objective=loss,
        running_metric=RunningMetric.of(model.task, split),
        quick=model.architecture.traits.channels_last,
        supports_stacking=model.architecture.traits == BUILT_IN,
        counts=None if split.weights is None else torch.from_numpy(split.weights),
        augment=model.task.augment,
    )


def starting_network(model: Model, recipe: Recipe) -> PreparedNetwork:
    """Return the network that `recipe` compresses, before it trains it if it does.

    Raises
    ------
    RecipeError
        When the recipe does not fit the network of its width and depth.
    """
    if recipe.train is None:
        return prepare(model, recipe, calibration_stats(model, recipe))
    drawn = model.with_spec(ModuleSpec(width=recipe.train.width, left_out=recipe.train.left_out))
    start = _fresh(drawn, recipe.train.seed) if recipe.train.start == "scratch" else None
    return prepare(drawn, recipe, calibration_stats(model, recipe), start)


def _objective(model: Model, settings: Train) -> Callable[..., Tensor] | None:
    """Return a person's own loss, if they gave one: no teacher can be mixed with it."""
    lose = model.task.loss_fn
    if lose is None:
        return None
    if settings.teacher:
        raise RecipeError(
            f"{model.name} has a loss of its own, which no teacher can be mixed with."
        )

    return lambda settings, outputs, labels, teacher, *weights: lose(outputs, labels, *weights)


def _input_grids(
    shaped: Model, prepared: PreparedNetwork, recipe: Recipe
) -> dict[str, InputQParams]:
    """Return the grids that the inputs of layers keep from the first step into the file."""
    if recipe.activations is None or not recipe.quantizes_activations:
        return {}
    return observe_inputs(shaped, prepared.weights, recipe.activations)


def _held_out(model: Model) -> Sample:
    split = model.task.split("validation")
    return Sample(split.examples, split.labels, RunningMetric.of(model.task, split))


def _teacher(model: Model, settings: Train, cancelled: Callable[[], bool]) -> Teacher | None:
    if not settings.teacher:
        return None
    small = model.task.metric.counts != "tokens"  # every place has logits: too many to keep
    know = small and not has_augmentation(settings) and model.task.augment is None
    return load_teacher(settings.teacher, model, know=know, cancelled=cancelled)


def check_depth(model: Model, settings: Train) -> None:
    """Raise `RecipeError` where more layers are to be left out than the model can lack."""
    most = model.architecture.most_left_out
    if settings.left_out > most:
        raise RecipeError(
            f"{model.name} can leave out {most} of its layers or blocks, not {settings.left_out}."
        )


def check_augmentation(model: Model, settings: Train) -> None:
    """Raise `RecipeError` where examples are to be shifted or mirrored that are no images."""
    if has_augmentation(settings) and model.task.input_type != "image":
        raise RecipeError(
            f"Only images can be shifted or mirrored, and {model.task.title} has none: set shift "
            "to 0 and mirror to never."
        )


def _fresh(model: Model, seed: int) -> dict[str, Tensor]:
    return tensors_of(initialize(model.architecture, seed))
