"""The tables of built-in tasks and models: a new one is one file of its own and one line here."""

from __future__ import annotations

import json

from workbench.errors import WorkbenchError
from workbench.text import mark
from workbench.zoo.builtin import Architecture, Model
from workbench.zoo.data import Task, unknown
from workbench.zoo.fashion import TASK as FASHION

TASKS = {task.name: task for task in (FASHION,)}

ARCHITECTURES = {
    architecture.name: architecture
    for architecture in (
        Architecture("fashion/lenet-300-100", FASHION, mark("LeNet-300-100, fully connected")),
        Architecture("fashion/lenet5", FASHION, mark("LeNet-5, convolutional")),
        Architecture("fashion/resnet", FASHION, mark("ResNet, small and residual")),
        Architecture("fashion/lenet5-narrow", FASHION, mark("Student: LeNet-5, narrow")),
        Architecture("fashion/mlp-32", FASHION, mark("Student: one hidden layer of 32")),
        Architecture("fashion/cnn-10k", FASHION, mark("Student: convolutions, 10,000 weights")),
    )
}


def tasks() -> tuple[str, ...]:
    """Names of the built-in tasks."""
    return tuple(TASKS)


def task(name: str) -> Task:
    """Return a built-in task.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    if name not in TASKS:
        raise unknown("task", name, TASKS)
    return TASKS[name]


def models(task: str | None = None) -> tuple[str, ...]:
    """Names of the built-in models, of one task if given.

    Raises
    ------
    UnknownNameError
        If there is no such task.
    """
    if task is not None and task not in TASKS:
        raise unknown("task", task, TASKS)
    return tuple(a.name for a in ARCHITECTURES.values() if task in (None, a.task.name))


def architecture(name: str) -> Architecture:
    """Return how a built-in model is built and trained, whether or not it has been trained.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    if name not in ARCHITECTURES:
        raise unknown("model", name, ARCHITECTURES)
    return ARCHITECTURES[name]


def model(name: str) -> Model:
    """Return a trained built-in model.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    WorkbenchError
        If its card is missing or damaged.
    """
    made = architecture(name)
    try:
        card = json.loads(made.card.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WorkbenchError(
            f"The card of {name} is missing or damaged; install the package again, "
            f"or train the model with: python -m workbench.checkpoints {name}"
        ) from error
    return Model(made, card)
