"""From a built-in model and a recipe to what there is to learn."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.calibration import evidence_for
from workbench.recipe import Recipe, Train
from workbench.training.portions import augments
from workbench.training.records import Lesson
from workbench.training.teacher import Teacher, named
from workbench.zoo import Model

_drawing = Lock()  # PyTorch has one generator for all threads


def lesson(model: Model, recipe: Recipe, cancelled: Callable[[], bool] = lambda: False) -> Lesson:
    """Return the training split of `model`'s task with the start and the teacher of `recipe`.

    Raises
    ------
    UnknownNameError
        When the teacher does not exist.
    RecipeError
        When the teacher is of another task, or a fresh start comes with evidence of the trained
        weights.
    Cancelled
        When `cancelled()` answers True while the teacher's outputs are computed.
    """
    assert recipe.train is not None
    fresh = recipe.train.start == "scratch"
    split = model.task.split("train")
    return Lesson(
        module=model.module(),
        weights=_fresh(model, recipe.train.seed) if fresh else model.weights(),
        images=split.images,
        labels=split.labels,
        inputs=model.task.inputs,
        teacher=_teacher(model, recipe.train, cancelled),
        evidence=evidence_for(model, recipe),
        held_out=_held_out(model) if recipe.train.patience else None,
    )


def _held_out(model: Model) -> tuple[NDArray[np.uint8], NDArray[np.integer]]:
    split = model.task.split("validation")
    return split.images, split.labels


def _teacher(model: Model, settings: Train, cancelled: Callable[[], bool]) -> Teacher | None:
    if not settings.teacher:
        return None
    return named(settings.teacher, model, know=not augments(settings), cancelled=cancelled)


def _fresh(model: Model, seed: int) -> dict[str, Tensor]:
    with _drawing, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return {
            name: tensor.detach()
            for name, tensor in model.architecture.build().state_dict().items()
        }
