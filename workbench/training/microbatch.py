"""What a step learns from: the numbers of its examples, their inputs, labels and teacher."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor

from workbench.domain.inputs import targets
from workbench.recipe import Train
from workbench.runtime.batch import Batch, layout_inputs
from workbench.training.augment import apply_user_augment, augment

if TYPE_CHECKING:
    from workbench.training.types import TrainingSetup

STEP, EPOCH, NORMS = 1, 2, 3
"""What a lot is for: a step's random changes, an epoch's order, the batches of batch norm."""


def derive_seed(seed: int, purpose: int, number: int) -> int:
    """Mix a seed, what it is for, and a number, so that no two streams share a lot."""
    return int(np.random.SeedSequence([seed, purpose, number]).generate_state(1, np.uint64)[0] >> 1)


class BatchOrder:
    """Which examples each step takes, by seed and number of the step alone."""

    def __init__(self, seed: int, examples: int, batch: int) -> None:
        self.seed = seed
        self.examples = examples
        self.batch = min(batch, examples)
        self._epoch: tuple[int, Tensor] = (-1, torch.empty(0))

    def __call__(self, step: int) -> Tensor:
        """Return the numbers of a step's examples; what an epoch leaves over waits for none."""
        epoch, place = divmod(step, max(1, self.examples // self.batch))
        if self._epoch[0] != epoch:
            generator = Generator().manual_seed(derive_seed(self.seed, EPOCH, epoch))
            self._epoch = epoch, torch.randperm(self.examples, generator=generator)
        return self._epoch[1][place * self.batch : (place + 1) * self.batch]


class Microbatch(NamedTuple):
    """Examples computed at once: inputs, labels, the teacher's outputs and the weights, or None."""

    inputs: Batch
    labels: Any
    teacher: Tensor | None
    weights: Tensor | None = None


def has_augmentation(settings: Train) -> bool:
    """Whether the inputs of each step are changed by lot."""
    return bool(settings.shift) or settings.mirror != "never"


def loss_share(setup: TrainingSetup, part: Tensor, chosen: Tensor) -> float:
    """Return the share of a part of a step's examples, by number, in the step's mean loss."""
    if setup.counts is None:
        return len(part) / len(chosen)
    total = float(setup.counts[chosen].sum())
    return float(setup.counts[part].sum()) / total if total else 0.0


def microbatch(
    setup: TrainingSetup, chosen: Tensor, settings: Train, generator: Generator
) -> Microbatch:
    """Return the examples numbered `chosen`; the teacher sees the very inputs of the student."""
    numbers = chosen.numpy()
    inputs = setup.inputs(setup.examples[numbers])
    changed = has_augmentation(settings)
    if changed:
        inputs = augment(inputs, settings.shift, settings.mirror == "half", generator)
    if setup.augment is not None:
        inputs, changed = apply_user_augment(setup.augment, inputs, generator), True
    inputs = layout_inputs(inputs, channels_last=setup.quick)
    labels = targets(setup.labels[numbers])
    weights = None if setup.counts is None else setup.counts[chosen]
    if setup.teacher is None:
        return Microbatch(inputs, labels, None, weights)
    known = setup.teacher.known
    outputs = setup.teacher.on(inputs) if changed or known is None else known[chosen]
    return Microbatch(inputs, labels, outputs, weights)
