"""Train students that differ only in temperature and mixing weight as one batched model.

Their weights are stacked: all share one batch and one teacher, and every layer is a batched matrix
product. Optimizers act elementwise, so PyTorch's optimizers update each student as if alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call, vmap

from workbench.cancel import NEVER, CancelToken
from workbench.errors import user_errors
from workbench.recipe import Train
from workbench.threads import threads
from workbench.training.dropout import add_dropout
from workbench.training.forward import MICROBATCH
from workbench.training.microbatch import STEP, BatchOrder, derive_seed, microbatch
from workbench.training.objective import objective
from workbench.training.optimizers import optimizer, schedule
from workbench.training.types import TrainingSetup

MAX_PARAMETERS = 50_000
"""Models up to this size are stacked. Larger products use all cores by themselves."""

Scores = list[tuple[float, float]]
"""Loss and accuracy of the last batch for each student."""


def stackable(setup: TrainingSetup, settings: Train) -> bool:
    """Whether stacking is exact and faster.

    It is exact without shared randomness or statistics across a batch or gradient: no dropout,
    batch norm, clipping, rewinding, averaging or early stopping, in float32, for classification
    with equal example weights and all labels. It is faster for small fully connected networks;
    stacked convolutions are slower than parallel ones.
    """
    layers = [m for m in setup.module.modules() if list(m.parameters(recurse=False))]
    is_coupled = settings.dropout or settings.clip or settings.patience or settings.average
    return (
        setup.running_metric.metric.counts == "classes"
        and all(isinstance(layer, nn.Linear) for layer in layers)
        and not list(setup.module.buffers())
        and sum(p.numel() for p in setup.module.parameters()) <= MAX_PARAMETERS
        and not is_coupled
        and settings.sparsening != "rewind"
        and settings.precision == "float32"
        and setup.supports_stacking
        and setup.example_weights is None
        and settings.labels == 1  # otherwise a student without a teacher has other batches
    )


class StackedStudents:
    """Trains one copy of the weights of `setup` for each of `students`.

    `students` may differ in `temperature`, `mix`, and whether they have a teacher.
    """

    def __init__(self, setup: TrainingSetup, students: Sequence[Train]) -> None:
        self.setup = setup
        self.students = students
        self.shared = students[0]
        self.step = 0
        self._generator = Generator()
        self._order = BatchOrder(self.shared.seed, len(setup.labels), self.shared.batch)
        self._run = vmap(self._outputs, in_dims=(0, None))
        self.module = add_dropout(setup.module, 0.0, self._generator)
        self.weights = {
            name: tensor.detach().expand(len(students), *tensor.shape).clone().requires_grad_()
            for name, tensor in setup.weights.items()
        }
        decayed = [w for w in self.weights.values() if w.ndim > 2]  # one more than unstacked
        others = [w for w in self.weights.values() if w.ndim <= 2]
        self._optimizer = optimizer(self.shared, decayed, others)
        self._schedule = schedule(self.shared, self._optimizer)

    def go(self, cancel: CancelToken = NEVER) -> Iterator[Scores]:
        """Train, and yield after every step. A loss that is not finite affects its student only.

        Raises
        ------
        Cancelled
            If `cancel` is cancelled between two microbatches.
        InputError
            If a user's module or data fails.
        """
        while self.step < self.shared.steps:
            errors = user_errors(f"Training fails at step {self.step + 1:,}")
            with threads(self.shared.threads), errors:  # restored before yielding to the caller
                scores = self._step(cancel)
            yield scores

    def weights_of(self, student: int) -> dict[str, Tensor]:
        """Return the current weights of one student."""
        return {name: weight[student].detach().clone() for name, weight in self.weights.items()}

    def _step(self, cancel: CancelToken) -> Scores:
        self._generator.manual_seed(derive_seed(self.shared.seed, STEP, self.step))
        chosen = self._order(self.step)
        self._optimizer.zero_grad()
        scores = torch.zeros(2, len(self.students))
        for part in chosen.split(MICROBATCH):
            cancel.check()
            losses, correct = self._forward(part)
            share = len(part) / len(chosen)
            (losses.sum() * share).backward()
            scores += torch.stack([losses.detach() * share, correct / len(chosen)])
        self._optimizer.step()
        self._schedule.step()
        self.step += 1
        return list(zip(*scores.tolist(), strict=True))

    def _forward(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Return losses and numbers of correct predictions, [students]."""
        inputs, labels, teacher, *_ = microbatch(self.setup, chosen, self.shared, self._generator)
        stacked: Tensor = self._run(self.weights, *inputs.tensors)
        losses = [
            objective(settings, outputs, labels, teacher if settings.teacher else None)
            for settings, outputs in zip(self.students, stacked, strict=True)
        ]
        return torch.stack(losses), (stacked.detach().argmax(dim=2) == labels).sum(dim=1)

    def _outputs(self, weights: dict[str, Tensor], inputs: Tensor) -> Tensor:
        outputs: Tensor = functional_call(self.module, weights, (inputs,), strict=True)
        return outputs
