"""Students that differ in temperature and mixing weight alone, trained as one.

Their weights lie stacked, one batch and one teacher serve all, and every layer is one batched
product. The rules of the optimisers act on each number by itself, so that PyTorch's own, given
stacked tensors, does to each student what it would do to it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call, vmap

from workbench.errors import Cancelled, user_errors
from workbench.recipe import Train
from workbench.threads import threads
from workbench.training.dropout import add_dropout
from workbench.training.microbatch import STEP, BatchOrder, derive_seed, microbatch
from workbench.training.objective import objective
from workbench.training.optimizers import optimizer, schedule
from workbench.training.run import MICROBATCH
from workbench.training.types import TrainingSetup

MOST = 50_000
"""Parameters up to which stacking pays: larger products fill the cores by themselves."""

Scores = list[tuple[float, float]]
"""For each student the loss and the accuracy of the last batch."""


def stackable(setup: TrainingSetup, settings: Train) -> bool:
    """Whether stacking is exact and pays.

    It is exact where students share nothing that is drawn or measured across a batch or a whole
    gradient, and nothing is kept besides: no dropout, batch norm, clipping, rewinding, averaging or
    early stopping, in float32, and where classes are learned from examples that count alike. It
    pays for small fully connected nets; stacked convolutions cost more than the same side by side.
    """
    classes = setup.running_metric.metric.counts == "classes"
    layers = [m for m in setup.module.modules() if list(m.parameters(recurse=False))]
    plain = all(isinstance(layer, nn.Linear) for layer in layers)
    bare = not list(setup.module.buffers())
    small = sum(p.numel() for p in setup.module.parameters()) <= MOST
    alone = settings.dropout or settings.clip or settings.patience or settings.average
    apart = not alone and settings.sparsening != "rewind" and settings.precision == "float32"
    alike = setup.supports_stacking and setup.counts is None
    return classes and plain and bare and small and apart and alike


class StackedStudents:
    """Trains one copy of the weights of `lesson` for each of `students`.

    All of `students` are equal but for `temperature`, `mix`, and whether they have a teacher.
    """

    def __init__(self, setup: TrainingSetup, students: Sequence[Train]) -> None:
        self.setup = setup
        self.students = students
        self.shared = students[0]
        self.step = 0
        self._lot = Generator()
        self._order = BatchOrder(self.shared.seed, len(setup.labels), self.shared.batch)
        self._run = vmap(self._outputs, in_dims=(0, None))
        self.module = add_dropout(setup.module, 0.0, self._lot)
        self.weights = {
            name: tensor.detach().expand(len(students), *tensor.shape).clone().requires_grad_()
            for name, tensor in setup.weights.items()
        }
        decayed = [w for w in self.weights.values() if w.ndim > 2]  # one more than a student's
        others = [w for w in self.weights.values() if w.ndim <= 2]
        self._optimizer = optimizer(self.shared, decayed, others)
        self._schedule = schedule(self.shared, self._optimizer)

    def go(self, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Scores]:
        """Yield after every step. A loss that is no number spoils its own student only.

        Raises
        ------
        Cancelled
            As soon as `cancelled()` answers True between two portions of a batch.
        WorkbenchError
            When a person's own module or data fails.
        """
        while self.step < self.shared.steps:
            fails = user_errors(f"Training fails at step {self.step + 1:,}")
            with threads(self.shared.threads), fails:  # whoever watches has their own number again
                scores = self._step(cancelled)
            yield scores

    def weights_of(self, student: int) -> dict[str, Tensor]:
        """Return the weights of one student as they are now."""
        return {name: weight[student].detach().clone() for name, weight in self.weights.items()}

    def _step(self, cancelled: Callable[[], bool]) -> Scores:
        self._lot.manual_seed(derive_seed(self.shared.seed, STEP, self.step))
        chosen = self._order(self.step)
        self._optimizer.zero_grad()
        scores = torch.zeros(2, len(self.students))
        for part in chosen.split(MICROBATCH):
            if cancelled():
                raise Cancelled("Training was stopped.")
            losses, right = self._portion(part)
            share = len(part) / len(chosen)
            (losses.sum() * share).backward()
            scores += torch.stack([losses.detach() * share, right / len(chosen)])
        self._optimizer.step()
        self._schedule.step()
        self.step += 1
        return list(zip(*scores.tolist(), strict=True))

    def _portion(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        inputs, labels, teacher, _weights = microbatch(self.setup, chosen, self.shared, self._lot)
        outputs: Tensor = self._run(self.weights, *inputs.tensors)
        losses = [
            objective(settings, own, labels, teacher if settings.teacher else None)
            for settings, own in zip(self.students, outputs, strict=True)
        ]
        return torch.stack(losses), (outputs.detach().argmax(dim=2) == labels).sum(dim=1)

    def _outputs(self, weights: dict[str, Tensor], inputs: Tensor) -> Tensor:
        outputs: Tensor = functional_call(self.module, weights, (inputs,), strict=True)
        return outputs
