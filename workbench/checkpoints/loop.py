"""One training run from scratch: what the plan says, the same on every repetition."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

import torch
from torch import Generator, Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from workbench.domain.losses import label_loss
from workbench.domain.training_plan import TrainingPlan
from workbench.training.augment import augment, noisy

Weights = dict[str, Tensor]


def train(
    build: Callable[[], nn.Module],
    plan: TrainingPlan,
    inputs: Tensor,
    labels: Tensor,
    validate: Callable[[Weights], float],
    report: Callable[[int, float], None],
    watch: Callable[[float], None] = lambda share: None,
) -> Weights:
    """Train a fresh module and return the averaged weights of its best epoch, or of its last.

    The same arguments, number of threads, machine and version of PyTorch give the same bits.
    PyTorch's global random state is left as it was.

    Parameters
    ----------
    build : makes the module with fresh weights
    plan : what to do
    inputs : tensor [n, ...], as the module takes them
    labels : int64 tensor [n] or [n, places], or float32 [n] where numbers are predicted
    validate : says how good some weights are; the first of the highest wins
    report : called after each epoch with its number, from 1, and how good it was
    watch : called after each step with the share that is done; what it raises ends the run

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
    average = _copy(module.state_dict())
    spread = inputs.flatten(0, -2).std(dim=0) if plan.noise else inputs.new_zeros(0)
    best, most = average, -inf
    for epoch in range(1, plan.epochs + 1):
        batches = _batches(len(inputs), plan.batch_size, generator)
        for step, chosen in enumerate(batches, start=1 + (epoch - 1) * steps):
            x = inputs[chosen]
            if plan.shift or plan.mirror:
                x = augment(x, plan.shift, plan.mirror, generator)
            if plan.noise:
                x = noisy(x, plan.noise * spread, generator)
            if x.ndim == 4:
                x = x.to(memory_format=torch.channels_last)
            loss = label_loss(module(x), labels[chosen], plan.label_smoothing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            _update(average, module.state_dict(), plan.average)
            watch(step / (plan.epochs * steps))
        good = validate(average)
        report(epoch, good)
        if good > most or plan.last:
            best, most = _copy(average), good
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
