"""Teacher predictions on ambiguous validation examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from workbench.cache.memory import MemoryCache
from workbench.domain import Model
from workbench.errors import InputError
from workbench.training.teacher import as_teacher
from workbench.training.teacher_ref import TeacherRef, resolve_teacher
from workbench.zoo.readable import ReadableExamples

EXAMPLES = 8
CANDIDATES = 1000
"""Validation examples to choose from."""
MAX_CACHED = 16
"""Teachers whose predictions are cached."""


@dataclass(frozen=True, eq=False)
class TeacherPrediction:
    """The teacher's logits for one example, one logit for each class.

    `content` is the example in readable form: an image, words, frames of a sound, or None.
    """

    content: Any
    label: int
    outputs: tuple[float, ...]


_cache: MemoryCache[tuple[TeacherPrediction, ...]] = MemoryCache(MAX_CACHED)


def teacher_predictions(student: Model, teacher: str) -> tuple[TeacherPrediction, ...]:
    """Return the teacher's predictions on ambiguous examples among the first 1,000 of validation.

    `teacher` is written as in a recipe.

    Raises
    ------
    InputError
        If the task has no classes.
    UnknownNameError, RecipeError
        If there is no such teacher.
    """
    if student.task.metric.counts != "classes":
        raise InputError(
            f"Teacher predictions need a task with classes, but {student.task.title} is measured "
            f"by {student.task.metric.label}.",
            code="training.teacher_without_classes",
        )
    ref = resolve_teacher(teacher, student)
    key = ref.model.key, ref.model.digest, ref.recipe
    return _cache.of(key, lambda: _predictions(ref), ref.model.architecture.lifetime)


def _predictions(ref: TeacherRef) -> tuple[TeacherPrediction, ...]:
    model, recipe = ref
    split = model.task.split("validation")
    examples, labels = split.examples[:CANDIDATES], split.labels[:CANDIDATES]
    outputs = as_teacher(model, recipe).predict(model.task.inputs(examples))
    top = torch.softmax(outputs, dim=1).topk(2, dim=1).values
    distance = (top[:, 0] - top[:, 1] - 0.5).abs()  # halfway between certain and undecided
    chosen = distance.argsort(stable=True)[:EXAMPLES].tolist()
    readable = ReadableExamples(model.task, examples)
    return tuple(
        TeacherPrediction(readable[n], int(labels[n]), tuple(outputs[n].tolist())) for n in chosen
    )
