"""A deterministic training loop that follows a training plan."""

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
    on_progress: Callable[[float], None] = lambda fraction: None,
    convert: Callable[[Tensor], Tensor] = lambda stored: stored,
) -> Weights:
    """Train a new module and return the averaged weights of its best or last epoch.

    The result is bit-identical for the same arguments, number of threads, machine and version of
    PyTorch. The global random state of PyTorch is restored.

    Parameters
    ----------
    build
        Returns the module with initial weights.
    plan
        The training plan.
    inputs
        Tensor [n, ...], the inputs of the module, or what `convert` makes them from.
    labels
        int64 [n] or [n, positions], or float32 [n] for regression.
    validate
        Returns a score of some weights. The first epoch with the highest score is used.
    report
        Called after each epoch with its number, from 1, and its score.
    on_progress
        Called after each step with the completed fraction. Any exception that it raises ends the
        run.
    convert
        Returns the inputs of a batch, so that large data need not be converted at once.

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
    deviation = inputs.flatten(0, -2).std(dim=0) if plan.noise else inputs.new_zeros(0)
    best, best_score = average, -inf
    for epoch in range(1, plan.epochs + 1):
        batches = _batches(len(inputs), plan.batch_size, generator)
        for step, batch in enumerate(batches, start=1 + (epoch - 1) * steps):
            x = convert(inputs[batch])
            if plan.shift or plan.mirror:
                x = augment(x, plan.shift, plan.mirror, generator)
            if plan.noise:
                x = noisy(x, plan.noise * deviation, generator)
            if x.ndim == 4:
                x = x.to(memory_format=torch.channels_last)
            loss = label_loss(module(x), labels[batch], plan.label_smoothing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            _update(average, module.state_dict(), plan.average)
            on_progress(step / (plan.epochs * steps))
        score = validate(average)
        report(epoch, score)
        if score > best_score or plan.last:
            best, best_score = _copy(average), score
    return best


def _batches(examples: int, size: int, generator: Generator) -> Tensor:
    """Return shuffled indices [batches, size]; the incomplete last batch is dropped."""
    order = torch.randperm(examples, generator=generator)
    return order[: examples - examples % size].reshape(-1, size)


def _copy(weights: Weights) -> Weights:
    return {name: w.clone(memory_format=torch.contiguous_format) for name, w in weights.items()}


@torch.no_grad()
def _update(average: Weights, weights: Weights, decay: float) -> None:
    """Update the moving average of the weights; integer counters are copied."""
    for name, mean in average.items():
        if mean.is_floating_point():
            mean.lerp_(weights[name], 1 - decay)
        else:
            mean.copy_(weights[name])
