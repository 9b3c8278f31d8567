"""The gauge: a metric's figure from batches, whatever the metric counts."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from workbench.domain.metric import ACCURACY, BITS_PER_CHARACTER, R2, RMSE, Metric
from workbench.errors import Cancelled
from workbench.recipe import Recipe, Train
from workbench.training.run import Run
from workbench.training.running_metric import RunningMetric, Sample
from workbench.training.setup import training_setup

SPREAD = Metric("spread", "whole", share=False)


def drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def whole(outputs, labels):
    return float(torch.cat(outputs).std() + len(labels))


CASES = {
    "classes": (
        RunningMetric(ACCURACY),
        drawn(10, 3),
        torch.arange(10) % 3,
        lambda out, true: (out.argmax(1) == true).double().mean(),
    ),
    "tokens": (
        RunningMetric(BITS_PER_CHARACTER),
        drawn(10, 4, 3),
        (torch.arange(40) % 3).view(10, 4),
        lambda out, true: functional.cross_entropy(out.flatten(0, 1), true.flatten()) / math.log(2),
    ),
    "numbers": (
        RunningMetric(RMSE),
        drawn(10, 1),
        torch.arange(10.0).view(10, 1),
        lambda out, true: (out - true).square().mean().sqrt(),
    ),
    "share of numbers": (
        RunningMetric(R2, spread=8.25),
        drawn(10, 1),
        torch.arange(10.0).view(10, 1),
        lambda out, true: 1 - (out - true).square().mean() / 8.25,
    ),
    "all at once": (
        RunningMetric(SPREAD, whole),
        drawn(10, 1),
        drawn(10),
        lambda out, _: out.std() + 3,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_figure_from_batches_is_that_of_all(case):
    gauge, outputs, labels, expected = CASES[case]
    parts = [gauge.part(outputs[a:b], labels[a:b]) for a, b in ((0, 4), (4, 8), (8, 10))]
    assert gauge.figure(parts) == pytest.approx(float(expected(outputs, labels)), rel=1e-5)
    sample = Sample(outputs.numpy(), labels.numpy(), gauge)
    assert sample.figure(torch.from_numpy, 4, lambda: False) == gauge.figure(parts)


def test_a_look_can_be_cancelled():
    asked = iter([False, True])
    sample = Sample(np.zeros((6, 2), np.float32), np.zeros(6, np.int64), RunningMetric())
    with pytest.raises(Cancelled):
        sample.figure(torch.from_numpy, 4, lambda: next(asked))


def test_batches_are_told_by_the_metric_of_the_task(linear):
    recipe = Recipe(train=Train(start="scratch", steps=3, batch=300, threads=1))
    moments = list(Run(training_setup(linear(), recipe), recipe).go())
    assert [one.value for one in moments] == pytest.approx([one.loss**0.5 for one in moments])


def test_a_batch_says_nothing_of_a_metric_of_all_at_once(linear):
    asked = []

    def counted(outputs, targets):
        asked.append(len(targets))
        return 1.0

    model = linear(counted)
    recipe = Recipe(train=Train(start="scratch", steps=3, batch=16, threads=1, patience=1))
    assert all(math.isnan(one.value) for one in Run(training_setup(model, recipe), recipe).go())
    assert 16 not in asked  # only whole splits, whose looks are due
