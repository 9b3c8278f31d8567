"""One training run from scratch: what the plan says, the same on every repetition."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from workbench.training.augment import augment
from workbench.zoo.plan import TrainingPlan

Weights = dict[str, Tensor]


def train(
    build: Callable[[], nn.Module],
    plan: TrainingPlan,
    inputs: Tensor,
    labels: Tensor,
    validate: Callable[[Weights], int],
    report: Callable[[int, int], None],
) -> Weights:
    """Train a fresh module and return the averaged weights of its best epoch.

    The same arguments, number of threads, machine and version of PyTorch give the same bits.
    PyTorch's global random state is left as it was.

    Parameters
    ----------
    build : makes the module with fresh weights
    plan : what to do
    inputs : float32 tensor [n, 1, h, w]
    labels : int64 tensor [n]
    validate : gives the correct predictions of some weights; the first highest count wins
    report : called after each epoch with its number, from 1, and its count

    Returns
    -------
    dict of Tensor
        Every parameter and buffer, contiguous.
    """
    generator = torch.Generator().manual_seed(plan.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        module = convert_conv2d_weight_memory_format(build().train(), torch.channels_last)
    optimizer = torch.optim.AdamW(module.parameters(), weight_decay=plan.weight_decay)
    steps = len(inputs) // plan.batch_size
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, plan.learning_rate, total_steps=plan.epochs * steps
    )
    loss_of = nn.CrossEntropyLoss(label_smoothing=plan.label_smoothing)
    average = _copy(module.state_dict())
    best, best_correct = average, -1
    for epoch in range(1, plan.epochs + 1):
        for chosen in _batches(len(inputs), plan.batch_size, generator):
            x = augment(inputs[chosen], plan.shift, plan.mirror, generator)
            loss = loss_of(module(x.to(memory_format=torch.channels_last)), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            _update(average, module.state_dict(), plan.average)
        correct = validate(average)
        report(epoch, correct)
        if correct > best_correct:
            best, best_correct = _copy(average), correct
    return best


def _batches(examples: int, size: int, generator: Generator) -> Tensor:
    """Cut a random order into the rows of whole batches; what is left over waits an epoch."""
    order = torch.randperm(examples, generator=generator)
    return order[: examples - examples % size].reshape(-1, size)


def _copy(weights: Weights) -> Weights:
    return {name: w.clone(memory_format=torch.contiguous_format) for name, w in weights.items()}


@torch.no_grad()
def _update(average: Weights, weights: Weights, decay: float) -> None:
    """Move the average towards the weights; whole numbers (counters) are taken over."""
    for name, mean in average.items():
        if mean.is_floating_point():
            mean.lerp_(weights[name], 1 - decay)
        else:
            mean.copy_(weights[name])
