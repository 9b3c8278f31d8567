"""Select training examples, and those of them whose labels are used."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator

from workbench.recipe import Train
from workbench.training.microbatch import LABELS, derive_seed
from workbench.training.types import TrainingSetup

Indices = NDArray[np.int64]


def select_examples(setup: TrainingSetup, indices: Indices) -> TrainingSetup:
    """Return a setup with the examples at `indices` only."""
    teacher = setup.teacher
    if teacher is not None and teacher.cached is not None:
        cached = teacher.cached[indices]
        teacher = copy.copy(teacher)
        teacher.cached = cached
    weights = setup.example_weights
    return replace(
        setup,
        examples=setup.examples[indices],
        labels=setup.labels[indices],
        teacher=teacher,
        example_weights=None if weights is None else weights[indices],
    )


def select_labels(setup: TrainingSetup, settings: Train) -> TrainingSetup:
    """Return a setup that uses the share of labels of `settings`.

    With a teacher, all examples stay. Without one, only the labeled examples do.
    """
    if settings.labels == 1:
        return setup
    indices = labeled_examples(setup.labels, settings.labels, settings.seed)
    if setup.teacher is None:
        return select_examples(setup, indices)
    labeled = torch.zeros(len(setup.labels), dtype=torch.bool)
    labeled[torch.from_numpy(indices)] = True
    return replace(setup, labeled=labeled)


def labeled_examples(labels: Any, share: float, seed: int) -> Indices:
    """Return the indices of a `share` of the examples, sorted and in proportion to the classes.

    There is at least one example of each class. A smaller share of the same seed is a subset.

    Parameters
    ----------
    labels
        Class indices, int [n].
    """
    classes = np.asarray(labels)
    generator = Generator().manual_seed(derive_seed(seed, LABELS, 0))
    order = torch.randperm(len(classes), generator=generator).numpy()
    priority = np.empty(len(classes))
    names, counts = np.unique(classes, return_counts=True)
    for name, count in zip(names, counts, strict=True):
        priority[order[classes[order] == name]] = np.arange(count) / count
    number = max(len(names), round(share * len(classes)))
    return np.sort(order[np.argsort(priority[order], kind="stable")[:number]])
