"""The remaining time of a training follows from its steps, with the work between them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from workbench.cache.results import ResultCache
from workbench.recipe import Recipe, Train
from workbench.session.records import Selection
from workbench.session.state import State
from workbench.training.types import TrainingStep


def test_the_remaining_time_counts_measuring_between_the_steps(monkeypatch):
    clock = SimpleNamespace(now=100.0, monotonic=lambda: clock.now)
    monkeypatch.setattr("workbench.session.state.time", clock)
    recipe = Recipe(train=Train(11, threads=1))
    state = State(Selection("fashion/mlp-32", recipe), ResultCache())
    for number in (1, 2, 3):
        seconds = 0.1 * number  # of the steps alone
        state.add_step(TrainingStep(number, 11, 1.0, 0.5, 0.1, 0.0, seconds, number, 1, False))
        clock.now += 2.0
    assert state.training.seconds_left == pytest.approx(2.0 * 8)
