"""Compress or train a model; trained files are cached."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import torch

from workbench.arguments import expect_recipe, expect_running
from workbench.artifact.artifact import Artifact
from workbench.cache.files import FileCache, default_file_cache
from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model
from workbench.errors import ArtifactError, RecipeError, TrainingError
from workbench.pipeline import TrainedNetwork, run_pipeline
from workbench.progress import training_display
from workbench.recipe import Recipe, Train
from workbench.recipe.schema import specs
from workbench.training.teacher_ref import teacher_ref, training_dependencies
from workbench.validation import expect_model

if TYPE_CHECKING:
    from workbench.training.types import TrainingResult, TrainingSetup, TrainingStep

VERSION = 9
"""Incremented when training changes, so that cached trained files are not reused."""

OnStep = Callable[["TrainingStep"], None]


def compress(
    model: Model,
    recipe: Recipe,
    *,
    on_step: OnStep = lambda step: None,
    cancel: CancelToken = NEVER,
    files: FileCache | None = None,
) -> Artifact:
    """Return `model` compressed as `recipe` says. The model itself is not changed.

    Parameters
    ----------
    model
        A built-in or a custom model.
    recipe
        What to do with the weights; an empty recipe only encodes them.
    on_step
        Called with a `TrainingStep` after each training step.
    cancel
        Checked between two batches; training can be resumed.
    files
        Where trained files and checkpoints are cached; the user's cache folder unless given. A
        trained recipe is trained once, and an interrupted run is resumed.

    Raises
    ------
    RecipeError
        If the recipe does not fit the model.
    TrainingError
        If training diverges. Its `artifact` holds the last good weights.
    Cancelled
        If `cancel` is cancelled during training.

    Examples
    --------
    >>> import workbench as wb
    >>> recipe = wb.Recipe.from_json('{"prune": {"sparsity": 0.9}, "quantize": {"bits": 4}}')
    >>> artifact = wb.compress(wb.model("fashion/lenet5"), recipe)
    >>> artifact.ledger.total == len(artifact)
    True
    """
    expect_running(cancel, on_step=on_step)
    expect_model(model).architecture.check_unchanged()
    if expect_recipe(recipe).train is not None:
        return _compress_trained(model, recipe, on_step, cancel, files or default_file_cache())
    return run_pipeline(model, recipe)


def train(
    model: Model,
    recipe: Recipe | None = None,
    *,
    seconds: float | None = None,
    on_step: OnStep | None = None,
    cancel: CancelToken = NEVER,
    **settings: Any,
) -> Artifact:
    """Return `model` trained under `recipe`, as an artifact whose recipe reproduces it.

    Parameters
    ----------
    model, recipe
        What to train, and how it is pruned and quantized during training.
    seconds
        Time budget for this call. A short pilot run converts it to steps; without it, the steps of
        `settings` or the recipe apply. It takes one step at least, so a slow network may exceed
        it. The environment variable `WORKBENCH_BUDGET` limits it.
    on_step
        Called with a `TrainingStep` after each training step, instead of showing the progress: the
        accuracy of the file so far in a notebook, a bar in a terminal.
    cancel
        As in `compress`.
    **settings
        Fields of `Train`, which override those of the recipe. `teacher` may be a model.

    Raises
    ------
    RecipeError, TrainingError, Cancelled
        As in `compress`.

    Examples
    --------
    >>> import workbench as wb
    >>> sparse = wb.Recipe(prune=wb.Prune(0.9))
    >>> wb.train(wb.model("fashion/lenet-300-100"), sparse, steps=2).recipe.train.steps
    2
    """
    expect_running(cancel, on_step=on_step)
    expect_model(model)
    recipe = Recipe() if recipe is None else expect_recipe(recipe)
    base = recipe.train or Train(threads=torch.get_num_threads())
    fields = [field.name for field in specs(Train)]
    for name in settings:
        if name not in fields:
            raise RecipeError(
                f"Training has no setting {name!r}: choose from {', '.join(fields)}.",
                code="recipe.unknown_setting",
            )
    if seconds is not None and "steps" in settings:
        raise RecipeError(
            "Pass seconds or steps, not both: seconds are converted to steps.",
            code="training.seconds_and_steps",
        )
    if isinstance(teacher := settings.get("teacher"), Model):
        settings["teacher"] = teacher_ref(teacher)
    recipe = replace(recipe, train=replace(base, **settings))
    if on_step is not None:
        recipe = _resolved(model, recipe, seconds, cancel, watched=True)
        return compress(model, recipe, on_step=on_step, cancel=cancel)
    with training_display(model) as display:
        if display is None:
            recipe = _resolved(model, recipe, seconds, cancel, watched=False)
            return compress(model, recipe, cancel=cancel)
        display.begin(recipe, seconds)
        recipe = _resolved(model, recipe, seconds, cancel, watched=True)
        artifact = compress(model, recipe, on_step=display.watch(recipe), cancel=cancel)
        display.finish(artifact)
        return artifact


def _resolved(
    model: Model, recipe: Recipe, seconds: float | None, cancel: CancelToken, *, watched: bool
) -> Recipe:
    """Return `recipe` with the number of training steps that `seconds` allow."""
    if seconds is None:
        return recipe
    from workbench.training.budget import capped_seconds, steps_for

    assert recipe.train is not None
    limit = capped_seconds(seconds)
    steps = steps_for(model, recipe, limit, cancel, artifact_bytes, watched=watched)
    return replace(recipe, train=replace(recipe.train, steps=steps))


def training_cost(
    model: Model, recipe: Recipe, files: FileCache | None = None
) -> dict[str, Any] | None:
    """Return the recorded cost of training: seconds, steps, examples per second, and energy.

    ``energy`` is an `Energy` as plain data.
    """
    if not recipe.train:
        return None
    blob = (files or default_file_cache()).get(_cost_key(_key(model, recipe)))
    try:
        cost: dict[str, Any] | None = json.loads(blob) if blob else None
    except ValueError:
        return None
    return cost


def _key(model: Model, recipe: Recipe) -> str:
    """Return the cache key of a trained file: model, recipe, dependencies and versions."""
    versions = f"{version('workbench')} {VERSION} torch-{torch.__version__}"
    dependencies = training_dependencies(model, recipe)
    return f"{model.name} {model.digest} {recipe.to_json()} {dependencies} {versions}"


def _cost_key(key: str) -> str:
    return f"{key} effort"


def _compress_trained(
    model: Model, recipe: Recipe, on_step: OnStep, cancel: CancelToken, files: FileCache
) -> Artifact:
    from workbench.training.run import Run
    from workbench.training.setup import training_setup

    recipe.check_names(model.layers, model.other_tensors)
    key = _key(model, recipe)
    blob = files.get(key)
    if blob is not None:
        with suppress(ArtifactError):  # a damaged file is made again
            artifact = Artifact.from_bytes(blob)
            if (artifact.model, artifact.recipe) == (model.name, recipe):
                return artifact
    run = Run(training_setup(model, recipe, cancel), recipe)

    def file_now() -> Artifact:
        return _artifact(model, recipe, run.setup, run.result_now())

    try:
        with closing(run.go(cancel=cancel, checkpoint=files.checkpoint_path(key))) as steps:
            for step in steps:
                on_step(replace(step, file=file_now))
    except TrainingError as error:
        error.artifact = _artifact(model, recipe, run.setup, run.trained()) if run.good else None
        raise
    result = run.trained()
    artifact = _artifact(model, recipe, run.setup, result)
    files.put(key, artifact.to_bytes(), model.architecture.lifetime)
    cost = {
        "seconds": result.seconds,
        "steps": result.steps,
        "examples_per_second": result.examples / result.seconds if result.seconds else 0.0,
        "energy": result.energy.as_dict(),
    }
    files.put(_cost_key(key), json.dumps(cost).encode())
    files.discard_checkpoint(key)
    return artifact


def artifact_bytes(
    model: Model, recipe: Recipe, setup: TrainingSetup, result: TrainingResult
) -> bytes:
    """Return the bytes of the file of a training result."""
    return _artifact(model, recipe, setup, result).to_bytes()


def _artifact(
    model: Model, recipe: Recipe, setup: TrainingSetup, result: TrainingResult
) -> Artifact:
    trained = TrainedNetwork(
        setup.prepared, result.weights, result.masks, result.qparams, setup.input_qparams
    )
    return run_pipeline(model, recipe, trained)
