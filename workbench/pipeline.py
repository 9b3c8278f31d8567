"""From a model and a recipe to an artifact."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import torch

from workbench.artifact.artifact import Artifact
from workbench.cache.files import FileCache, default_file_cache
from workbench.calibration.finish import finish
from workbench.calibration.untrained import compress_untrained
from workbench.compression.encode import encode_tensors
from workbench.domain import Model
from workbench.errors import ArtifactError, RecipeError, TrainingError
from workbench.recipe import Recipe, Train
from workbench.recipe.schema import specs
from workbench.training.teacher_ref import teacher_ref, training_dependencies
from workbench.validation import expect_model, expect_recipe

if TYPE_CHECKING:
    from workbench.training.types import TrainingResult, TrainingSetup, TrainingStep

VERSION = 7
"""Raised when training changes, so that files trained before are made again."""

OnStep = Callable[["TrainingStep"], None]


def compress(
    model: Model,
    recipe: Recipe,
    *,
    progress: OnStep = lambda moment: None,
    cancelled: Callable[[], bool] = lambda: False,
    files: FileCache | None = None,
) -> Artifact:
    """Return `model` compressed as `recipe` says; the model itself is not changed.

    A recipe that trains takes as long as its steps take, the first time: `progress` is called
    after each, and the file is kept in `files`, the person's own unless given, with a checkpoint
    on the way, so that a run that was killed goes on where it was.

    Raises
    ------
    RecipeError
        When the recipe does not fit the model.
    TrainingError
        When training diverges; it holds the file of the last good weights.
    Cancelled
        When `cancelled()` answers True during training.

    >>> import workbench as wb
    >>> recipe = wb.Recipe.from_json('{"prune": {"sparsity": 0.9}, "quantize": {"bits": 4}}')
    >>> artifact = wb.compress(wb.model("fashion/lenet5"), recipe)
    >>> artifact.ledger.total == len(artifact)
    True
    """
    expect_model(model).architecture.check_unchanged()
    if expect_recipe(recipe).train is not None:
        return _trained(model, recipe, progress, cancelled, files or default_file_cache())
    return Artifact.of(model.name, recipe, *compress_untrained(model, recipe))


def train(
    model: Model,
    recipe: Recipe | None = None,
    *,
    seconds: float | None = None,
    progress: OnStep = lambda moment: None,
    cancelled: Callable[[], bool] = lambda: False,
    **settings: Any,
) -> Artifact:
    """Return `model` trained under `recipe`, as a file; its recipe can repeat it.

    Parameters
    ----------
    model, recipe
        What to train, and how it is pruned and quantised meanwhile.
    seconds
        How long this call takes, turned into steps by a short trial; without it the recipe's or
        the settings' steps count. It takes longer where setup alone does, such as a teacher's
        outputs. `WORKBENCH_BUDGET` in the environment caps it.
    progress, cancelled
        As in `compress`.
    **settings
        Fields of `Train` that go before those of the recipe; `teacher` may be a model.

    Raises
    ------
    RecipeError, TrainingError, Cancelled
        As `compress` does.

    >>> import workbench as wb
    >>> sparse = wb.Recipe(prune=wb.Prune(0.9))
    >>> wb.train(wb.model("fashion/lenet-300-100"), sparse, steps=2).recipe.train.steps
    2
    """
    expect_model(model)
    recipe = Recipe() if recipe is None else expect_recipe(recipe)
    chosen = recipe.train or Train(threads=torch.get_num_threads())
    known = [field.name for field in specs(Train)]
    for name in settings:
        if name not in known:
            raise RecipeError(f"Training has no setting {name!r}: choose from {', '.join(known)}.")
    if seconds is not None and "steps" in settings:
        raise RecipeError("Seconds become steps: give seconds or steps, not both.")
    if isinstance(teacher := settings.get("teacher"), Model):
        settings["teacher"] = teacher_ref(teacher)
    recipe = replace(recipe, train=replace(chosen, **settings))
    if seconds is not None:
        from workbench.training.budget import capped_seconds, steps_for

        assert recipe.train is not None
        steps = steps_for(model, recipe, capped_seconds(seconds), cancelled, artifact_bytes)
        recipe = replace(recipe, train=replace(recipe.train, steps=steps))
    return compress(model, recipe, progress=progress, cancelled=cancelled)


def training_cost(
    model: Model, recipe: Recipe, files: FileCache | None = None
) -> dict[str, float] | None:
    """Return what training `recipe` took where it was made: seconds, steps, examples per second."""
    blob = (
        (files or default_file_cache()).get(f"{_key(model, recipe)} effort")
        if recipe.train
        else None
    )
    try:
        found: dict[str, float] | None = json.loads(blob) if blob else None
    except ValueError:
        return None
    return found


def _key(model: Model, recipe: Recipe) -> str:
    """Name a trained file: model, recipe, what else it learns from, and versions."""
    versions = f"{version('workbench')} {VERSION} torch-{torch.__version__}"
    learned = training_dependencies(model, recipe)
    return f"{model.name} {model.digest} {recipe.to_json()} {learned} {versions}"


def _trained(
    model: Model, recipe: Recipe, progress: OnStep, cancelled: Callable[[], bool], files: FileCache
) -> Artifact:
    from workbench.training.run import Run
    from workbench.training.setup import training_setup

    recipe.check_names(model.layers)
    key = _key(model, recipe)
    blob = files.get(key)
    if blob is not None:
        with suppress(ArtifactError):  # damaged: made again
            found = Artifact.from_bytes(blob)
            if (found.model, found.recipe) == (model.name, recipe):
                return found
    run = Run(training_setup(model, recipe, cancelled), recipe)
    try:
        with closing(run.go(cancelled=cancelled, checkpoint=files.checkpoint_path(key))) as moments:
            for moment in moments:
                progress(moment)
    except TrainingError as error:
        error.artifact = _file_of(model, recipe, run.setup, run.trained()) if run.good else None
        raise
    done = run.trained()
    artifact = _file_of(model, recipe, run.setup, done)
    files.put(key, artifact.to_bytes(), model.architecture.lifetime)
    files.put(
        f"{key} effort",
        json.dumps(
            {
                "seconds": done.seconds,
                "steps": done.steps,
                "examples_per_second": done.examples / done.seconds if done.seconds else 0.0,
            }
        ).encode(),
    )
    files.discard_checkpoint(key)
    return artifact


def artifact_bytes(
    model: Model, recipe: Recipe, learned: TrainingSetup, done: TrainingResult
) -> bytes:
    """Return the bytes of the file of what was learned."""
    return _file_of(model, recipe, learned, done).to_bytes()


def _file_of(
    model: Model, recipe: Recipe, learned: TrainingSetup, done: TrainingResult
) -> Artifact:
    ready = learned.prepared
    coded = encode_tensors(
        done.weights,
        recipe,
        ready.stats,
        roles=model.with_spec(ready.form).roles,
        kept=done.kept,
        qparams=done.qparams,
    )
    return Artifact.of(
        model.name, recipe, *finish(model, recipe, ready, coded, learned.input_qparams)
    )
