"""The learning-rate range test: rates, divergence, and the suggestion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.raises import raises
from workbench.cancel import CancelToken
from workbench.errors import Cancelled, WorkbenchError
from workbench.experiments import find_learning_rate
from workbench.experiments.learning_rate_range import RangeTest, RisingRun, smoothed


def test_rates_rise_by_a_constant_factor_and_are_used(small, brief):
    rising = replace(brief, steps=10, learning_rate=1e-4, schedule="constant")
    run = RisingRun(small, rising, high=0.1)
    after = [step.learning_rate for step in run.go()]
    test = find_learning_rate(small, brief, low=1e-4, high=0.1, steps=10)
    assert test.rates == pytest.approx(np.geomspace(1e-4, 0.1, 10))
    assert after[:-1] == pytest.approx(test.rates[1:])


def test_it_ends_when_the_loss_diverges_and_suggests_a_lower_rate(small, brief):
    seen = []
    test = find_learning_rate(
        small, replace(brief, optimizer="sgd", batch=128), low=1e-3, steps=60, on_update=seen.append
    )
    assert test.diverged
    assert len(test.rates) < 60
    assert len(test.rates) == len(test.losses) == len(test.smoothed)
    assert test.rates[0] < test.suggestion < test.rates[-1]
    assert seen[-1] == test
    assert [len(state.rates) for state in seen[:3]] == [1, 2, 3]


def test_it_suggests_the_steepest_descent():
    rates = tuple(np.geomspace(1e-5, 1, 51))
    falls = tuple(2 - 1 / (1 + np.exp(-4 * (np.log10(rates) + 3))))
    assert RangeTest(rates, falls, falls, diverged=False).suggestion == pytest.approx(1e-3)


def test_the_steepest_descent_may_end_at_the_minimum():
    rates, losses = (0.1, 0.2, 0.4, 0.8), (3.0, 2.9, 2.5, 1.0)
    assert RangeTest(rates, losses, losses, diverged=False).suggestion == 0.8


def test_a_fall_after_the_minimum_is_ignored():
    losses = (2.0, 1.9, 1.7, 1.6, 9.0, 2.0)
    rates = tuple(np.geomspace(1e-5, 1, 6))
    test = RangeTest(rates, losses, losses, diverged=True)
    assert test.suggestion < rates[4]


@pytest.mark.parametrize("losses", [(), (1.0,), (1.0, 2.0, 3.0, 4.0)])
def test_there_is_no_suggestion_if_the_loss_never_fell(losses):
    rates = tuple(10.0 ** -(4 - n) for n in range(len(losses)))
    assert RangeTest(rates, losses, losses, diverged=False).suggestion is None


def test_a_fall_has_at_least_two_steps():
    rates = (0.1, 0.2, 0.4, 0.8)
    one, two = (2.0, 1.0, 3.0, 3.0), (3.0, 2.0, 1.0, 3.0)
    assert RangeTest(rates, one, one, diverged=False).suggestion is None
    assert RangeTest(rates, two, two, diverged=False).suggestion is not None


def test_smoothing_does_not_shift_a_fall():
    step = [1.0] * 50 + [0.0] * 50
    smooth = smoothed(step, 3.0)
    assert int(np.argmin(np.diff(smooth))) == 49
    assert smooth[20] == pytest.approx(1.0)
    assert smoothed([3.0] * 7, 2.0) == pytest.approx([3.0] * 7)


def test_it_can_be_cancelled(small, brief):
    with pytest.raises(Cancelled):
        find_learning_rate(small, brief, cancel=CancelToken(lambda: True))


@pytest.mark.parametrize(
    ("more", "code", "fact"),
    [
        ({"low": 1.0, "high": 0.1}, "training.learning_rate_range", "below"),
        ({"low": 0.1, "high": 0.1}, "training.learning_rate_range", "below"),
        ({"low": float("nan")}, None, "learning_rate"),
        ({"low": 0.0}, None, "learning_rate"),
        ({"high": 100.0}, None, "learning_rate"),
        ({"steps": 1}, None, "10"),
    ],
)
def test_invalid_arguments_are_rejected(small, brief, more, code, fact):
    with raises(code, fact) if code else pytest.raises(WorkbenchError, match=fact):
        find_learning_rate(small, brief, **more)
