"""The data of a training step: example indices, inputs, labels and teacher outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor

from workbench.domain.inputs import targets
from workbench.recipe import Train
from workbench.runtime.batch import Batch, layout_inputs
from workbench.training.augment import apply_user_augment, augment
from workbench.training.checks import has_augmentation

if TYPE_CHECKING:
    from workbench.training.types import TrainingSetup

STEP, EPOCH, NORMS, LABELS = 1, 2, 3, 4
"""RNG stream ids: augmentation and dropout, shuffling, batch-norm recalibration, labels."""


def derive_seed(seed: int, stream: int, number: int) -> int:
    """Return a seed for item `number` of an RNG stream, independent of all other streams."""
    return int(np.random.SeedSequence([seed, stream, number]).generate_state(1, np.uint64)[0] >> 1)


class BatchOrder:
    """The example indices of each step, a pure function of seed and step number."""

    def __init__(self, seed: int, examples: int, batch: int) -> None:
        self.seed = seed
        self.examples = examples
        self.batch = min(batch, examples)
        self._epoch: tuple[int, Tensor] = (-1, torch.empty(0))

    def __call__(self, step: int) -> Tensor:
        """Return the example indices of a step. An incomplete last batch is dropped."""
        epoch, position = divmod(step, max(1, self.examples // self.batch))
        if self._epoch[0] != epoch:
            generator = Generator().manual_seed(derive_seed(self.seed, EPOCH, epoch))
            self._epoch = epoch, torch.randperm(self.examples, generator=generator)
        return self._epoch[1][position * self.batch : (position + 1) * self.batch]


class Microbatch(NamedTuple):
    """Examples of one forward pass: inputs, labels, teacher outputs and example weights.

    `labeled` tells which labels are used; None for all of them.
    """

    inputs: Batch
    labels: Any
    teacher: Tensor | None
    weights: Tensor | None = None
    labeled: Tensor | None = None


def loss_share(setup: TrainingSetup, part: Tensor, chosen: Tensor) -> float:
    """Return the share of the examples `part` in the mean loss of the examples `chosen`."""
    if setup.example_weights is None:
        return len(part) / len(chosen)
    total = float(setup.example_weights[chosen].sum())
    return float(setup.example_weights[part].sum()) / total if total else 0.0


def microbatch(
    setup: TrainingSetup, chosen: Tensor, settings: Train, generator: Generator
) -> Microbatch:
    """Return the examples at the indices `chosen`, with the same augmentation for the teacher."""
    indices = chosen.numpy()
    inputs = setup.inputs(setup.examples[indices])
    changed = has_augmentation(settings)
    if changed:
        inputs = augment(inputs, settings.shift, settings.mirror == "half", generator)
    if setup.augment is not None:
        inputs, changed = apply_user_augment(setup.augment, inputs, generator), True
    inputs = layout_inputs(inputs, channels_last=setup.channels_last)
    labels = targets(setup.labels[indices])
    weights = None if setup.example_weights is None else setup.example_weights[chosen]
    labeled = None if setup.labeled is None else setup.labeled[chosen]
    if setup.teacher is None:
        return Microbatch(inputs, labels, None, weights, labeled)
    cached = setup.teacher.cached
    outputs = setup.teacher.predict(inputs) if changed or cached is None else cached[chosen]
    return Microbatch(inputs, labels, outputs, weights, labeled)
