"""The range test: rates rise by a factor, explosions end it, the suggestion is where it falls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from workbench.errors import Cancelled, RecipeError
from workbench.experiments import find_learning_rate
from workbench.experiments.learning_rate_range import RangeTest, RisingRun, smoothed


def test_rates_rise_by_one_factor_and_are_the_ones_used(small, brief):
    rising = replace(brief, steps=10, learning_rate=1e-4, schedule="constant")
    run = RisingRun(small, rising, high=0.1)
    after = [moment.learning_rate for moment in run.go()]
    test = find_learning_rate(small, brief, low=1e-4, high=0.1, steps=10)
    assert test.rates == pytest.approx(np.geomspace(1e-4, 0.1, 10))
    assert after[:-1] == pytest.approx(test.rates[1:])


def test_it_ends_where_the_loss_explodes_and_suggests_a_rate_before(small, brief):
    seen = []
    test = find_learning_rate(
        small, replace(brief, optimizer="sgd", batch=128), low=1e-3, steps=60, progress=seen.append
    )
    assert test.diverged
    assert len(test.rates) < 60
    assert len(test.rates) == len(test.losses) == len(test.smoothed)
    assert test.rates[0] < test.suggestion < test.rates[-1]
    assert seen[-1] == test
    assert [len(one.rates) for one in seen[:3]] == [1, 2, 3]


def test_it_suggests_the_steepest_descent():
    rates = tuple(np.geomspace(1e-5, 1, 51))
    falls = tuple(2 - 1 / (1 + np.exp(-4 * (np.log10(rates) + 3))))
    assert RangeTest(rates, falls, falls, diverged=False).suggestion == pytest.approx(1e-3)


def test_a_fall_after_the_least_loss_does_not_count():
    losses = (2.0, 1.9, 1.7, 1.6, 9.0, 2.0)
    rates = tuple(np.geomspace(1e-5, 1, 6))
    test = RangeTest(rates, losses, losses, diverged=True)
    assert test.suggestion < rates[4]


@pytest.mark.parametrize("losses", [(), (1.0,), (1.0, 2.0, 3.0, 4.0)])
def test_no_suggestion_where_nothing_fell(losses):
    rates = tuple(10.0 ** -(4 - n) for n in range(len(losses)))
    assert RangeTest(rates, losses, losses, diverged=False).suggestion is None


def test_smoothing_does_not_move_a_fall():
    step = [1.0] * 50 + [0.0] * 50
    smooth = smoothed(step, 3.0)
    assert int(np.argmin(np.diff(smooth))) == 49
    assert smooth[20] == pytest.approx(1.0)
    assert smoothed([3.0] * 7, 2.0) == pytest.approx([3.0] * 7)


def test_it_can_be_cancelled(small, brief):
    with pytest.raises(Cancelled):
        find_learning_rate(small, brief, cancelled=lambda: True)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"low": 1.0, "high": 0.1}, "must begin below its end"),
        ({"low": float("nan")}, "learning_rate must be a number"),
        ({"low": 0.0}, "learning_rate must be a number"),
        ({"high": 100.0}, "learning_rate must be a number"),
        ({"steps": 1}, "whole number, 10 at least, not 1"),
    ],
)
def test_bad_input_is_one_sentence(small, brief, more, words):
    with pytest.raises(RecipeError, match=words):
        find_learning_rate(small, brief, **more)
