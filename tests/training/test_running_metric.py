"""The running metric: the value over batches equals the value over all examples."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from workbench.cancel import NEVER, CancelToken
from workbench.domain.metric import ACCURACY, BITS_PER_CHARACTER, R2, RMSE, Metric
from workbench.domain.sum_metrics import LabelScale
from workbench.errors import Cancelled
from workbench.recipe import Recipe, Train
from workbench.training.run import Run
from workbench.training.running_metric import RunningMetric, Sample
from workbench.training.setup import training_setup

SPREAD = Metric("spread", "whole", is_fraction=False)


def random(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def spread(outputs, labels):
    return float(torch.cat(outputs).std() + len(labels))


CASES = {
    "classes": (
        RunningMetric(ACCURACY),
        random(10, 3),
        torch.arange(10) % 3,
        lambda out, true: (out.argmax(1) == true).double().mean(),
    ),
    "tokens": (
        RunningMetric(BITS_PER_CHARACTER),
        random(10, 4, 3),
        (torch.arange(40) % 3).view(10, 4),
        lambda out, true: functional.cross_entropy(out.flatten(0, 1), true.flatten()) / math.log(2),
    ),
    "numbers": (
        RunningMetric(RMSE),
        random(10, 1),
        torch.arange(10.0).view(10, 1),
        lambda out, true: (out - true).square().mean().sqrt(),
    ),
    "share of numbers": (
        RunningMetric(R2, labels=LabelScale(8.25)),
        random(10, 1),
        torch.arange(10.0).view(10, 1),
        lambda out, true: 1 - (out - true).square().mean() / 8.25,
    ),
    "not additive": (
        RunningMetric(SPREAD, spread),
        random(10, 1),
        random(10),
        lambda out, _: out.std() + 3,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_value_over_batches_is_that_over_all_examples(case):
    metric, outputs, labels, expected = CASES[case]
    states = [metric.batch_state(outputs[a:b], labels[a:b]) for a, b in ((0, 4), (4, 8), (8, 10))]
    assert metric.compute(states) == pytest.approx(float(expected(outputs, labels)), rel=1e-5)
    sample = Sample(outputs.numpy(), labels.numpy(), metric)
    assert sample.evaluate(torch.from_numpy, 4, NEVER) == metric.compute(states)


def test_an_evaluation_can_be_cancelled():
    answers = iter([False, True])
    sample = Sample(np.zeros((6, 2), np.float32), np.zeros(6, np.int64), RunningMetric())
    with pytest.raises(Cancelled):
        sample.evaluate(torch.from_numpy, 4, CancelToken(lambda: next(answers)))


def test_batch_values_use_the_metric_of_the_task(linear):
    recipe = Recipe(train=Train(start="scratch", steps=3, batch=300, threads=1))
    events = list(Run(training_setup(linear(), recipe), recipe).go())
    assert [event.value for event in events] == pytest.approx([e.loss**0.5 for e in events])


def test_a_metric_that_is_not_additive_has_no_batch_value(linear):
    lengths = []

    def counted(outputs, targets):
        lengths.append(len(targets))
        return 1.0

    model = linear(counted)
    recipe = Recipe(train=Train(start="scratch", steps=3, batch=16, threads=1, patience=1))
    assert all(math.isnan(event.value) for event in Run(training_setup(model, recipe), recipe).go())
    assert 16 not in lengths  # only whole splits, for early stopping
