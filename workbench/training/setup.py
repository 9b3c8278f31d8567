"""Build the training setup for a model and a recipe: data, teacher, loss, initial weights."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from workbench.artifact.module_spec import InputQParams, ModuleSpec
from workbench.calibration.observers import fit_input_qparams
from workbench.calibration.statistics import calibration_stats
from workbench.calibration.structure import PreparedNetwork, change_structure
from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model
from workbench.domain.initialize import initialize
from workbench.domain.module_tensors import tensors_of
from workbench.errors import RecipeError
from workbench.recipe import Recipe, Train
from workbench.runtime.traits import BUILT_IN
from workbench.training.checks import check_settings, has_augmentation
from workbench.training.running_metric import RunningMetric, Sample
from workbench.training.subset import Indices, select_examples, select_labels
from workbench.training.teacher import Teacher, check_output_shapes, load_teacher
from workbench.training.types import TrainingSetup


def training_setup(
    model: Model,
    recipe: Recipe,
    cancel: CancelToken = NEVER,
    examples: Indices | None = None,
) -> TrainingSetup:
    """Return the setup that trains `model` on its training split as `recipe` says.

    Only the examples at the indices `examples` are used, if given.

    Raises
    ------
    UnknownNameError
        If the teacher does not exist.
    RecipeError
        If the teacher has other data or outputs, the recipe shifts or mirrors examples that are
        not images, a share of labels is used without classes or with a custom loss, no parameter
        requires gradients, training from scratch is combined with
        statistics of the trained weights, or the recipe does not fit the network of its width and
        depth.
    Cancelled
        If `cancel` is cancelled while the teacher's outputs are computed.
    """
    assert recipe.train is not None
    objective = _objective(model, recipe.train)
    check_settings(model, recipe.train)
    split = model.task.split("train")
    prepared = starting_network(model, recipe)
    shaped = model.with_spec(prepared.spec)
    roles = shaped.roles
    layers = [name for name in roles.layers if name in prepared.weights]
    recipe.check_names(layers, model.other_tensors)  # before long training
    module = shaped.module()
    if not any(parameter.requires_grad for parameter in module.parameters()):
        raise RecipeError(
            f"No parameter of {model.name} requires gradients, so nothing can be trained: call "
            "module.requires_grad_(True) and register the module again.",
            code="training.no_trainable_parameters",
        )
    teacher = _teacher(model, recipe.train, cancel)
    if teacher is not None and teacher.task is not model.task:
        inputs = model.task.inputs(split.examples[:2])
        check_output_shapes(teacher, module, prepared.weights, inputs)
    setup = TrainingSetup(
        module=module,
        prepared=prepared,
        roles=roles,
        examples=split.examples,
        labels=split.labels,
        inputs=model.task.inputs,
        teacher=teacher,
        input_qparams=_input_qparams(shaped, prepared, recipe),
        held_out=_held_out(model) if recipe.train.patience else None,
        objective=objective,
        running_metric=RunningMetric.of(model.task, split),
        channels_last=model.architecture.traits.channels_last,
        supports_stacking=model.architecture.traits == BUILT_IN,
        example_weights=None if split.weights is None else torch.from_numpy(split.weights),
        augment=model.task.augment,
    )
    if examples is not None:
        setup = select_examples(setup, examples)
    return select_labels(setup, recipe.train)


def starting_network(model: Model, recipe: Recipe) -> PreparedNetwork:
    """Return the network that `recipe` compresses, as it is before any training.

    Raises
    ------
    RecipeError
        If the recipe does not fit the network of its width and depth.
    """
    if recipe.train is None:
        return change_structure(model, recipe, calibration_stats(model, recipe))
    shaped = model.with_spec(ModuleSpec(width=recipe.train.width, left_out=recipe.train.left_out))
    weights = None
    if recipe.train.start == "scratch":
        weights = tensors_of(initialize(shaped.architecture, recipe.train.seed))
    return change_structure(shaped, recipe, calibration_stats(model, recipe), weights)


def _objective(model: Model, settings: Train) -> Callable[..., Tensor] | None:
    """Return the user's loss as an objective, or None. It cannot be combined with a teacher."""
    loss_fn = model.task.loss_fn
    if loss_fn is None:
        return None
    if settings.teacher:
        raise RecipeError(
            f"{model.name} has a custom loss, which cannot be combined with a teacher: train "
            "without a teacher.",
            code="training.teacher_with_custom_loss",
        )

    return lambda settings, outputs, labels, teacher, *weights: loss_fn(outputs, labels, *weights)


def _input_qparams(
    shaped: Model, prepared: PreparedNetwork, recipe: Recipe
) -> dict[str, InputQParams]:
    """Return the quantization parameters of layer inputs, fixed for the whole run."""
    if recipe.activations is None or not recipe.quantizes_activations:
        return {}
    return fit_input_qparams(shaped, prepared.weights, recipe.activations)


def _held_out(model: Model) -> Sample:
    split = model.task.split("validation")
    return Sample(split.examples, split.labels, RunningMetric.of(model.task, split))


def _teacher(model: Model, settings: Train, cancel: CancelToken) -> Teacher | None:
    if not settings.teacher:
        return None
    enough = settings.steps * settings.batch >= len(model.task.split("train").examples)
    precompute = enough and can_precompute(model, settings)
    return load_teacher(settings.teacher, model, precompute=precompute, cancel=cancel)


def can_precompute(model: Model, settings: Train) -> bool:
    """Return whether the teacher's logits can be computed before training, once per example.

    They are if training sees every example at least once; otherwise each step computes its own.
    """
    fits = model.task.metric.counts != "tokens"  # one vector of logits per token is too much
    return fits and not has_augmentation(settings) and model.task.augment is None
