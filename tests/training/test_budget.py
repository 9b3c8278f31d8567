"""Seconds become steps: by a pilot's pace, never by guessing."""

from __future__ import annotations

from itertools import count
from types import SimpleNamespace

import pytest

import workbench as wb
from workbench.errors import Cancelled, RecipeError, WorkbenchError
from workbench.training import budget
from workbench.training.budget import LEAST, PILOT, VARIABLE, WARM_UP, granted, steps_for
from workbench.training.run import Run
from workbench.training.view import View

LENET = "fashion/lenet-300-100"


@pytest.fixture
def paced(monkeypatch):
    """Let every step take so many seconds by the pilot's clock; note how many it took."""
    steps = []

    def pace(seconds):
        ticks = count()
        clock = SimpleNamespace(perf_counter=lambda: next(ticks) * seconds)
        monkeypatch.setattr(budget, "time", clock)
        plain = Run._step

        def noted(self, cancelled):
            steps.append(self.step)
            return plain(self, cancelled)

        monkeypatch.setattr(Run, "_step", noted)
        return steps

    return pace


@pytest.mark.parametrize(
    ("each", "seconds", "expected", "pilot"),
    [
        (0.01, 60, 6000 - (WARM_UP + PILOT), WARM_UP + PILOT),
        (0.5, 60, 120 - (WARM_UP + LEAST), WARM_UP + LEAST),
        (5.0, 60, 60 // 5 // 4, WARM_UP + LEAST),
        (100.0, 60, 1, WARM_UP + LEAST),
        (1e-6, 60, budget.MOST, WARM_UP + PILOT),
    ],
)
def test_steps_follow_the_pace(each, seconds, expected, pilot, paced, recipe) -> None:
    taken = paced(each)
    found = steps_for(wb.model(LENET), recipe(batch=4), seconds)
    assert abs(found - expected) <= 2
    assert len(taken) == pilot


def test_the_pilot_changes_masks_as_rarely_as_training_will(paced, recipe, monkeypatch) -> None:
    found = []
    plain = View.sparsen
    monkeypatch.setattr(View, "sparsen", lambda *a: (found.append(a[2]), plain(*a))[1])
    paced(0.01)
    asked = recipe(prune={"sparsity": 0.9}, sparsening="cubic", batch=4)
    steps_for(wb.model(LENET), asked, 60)
    assert len(found) == 1


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), 86_401])
def test_no_time_and_too_much_are_refused(seconds, recipe) -> None:
    with pytest.raises(RecipeError, match="above 0 and at most 86400 seconds"):
        steps_for(wb.model(LENET), recipe(), seconds)


def test_a_pilot_can_be_cancelled(recipe) -> None:
    with pytest.raises(Cancelled):
        steps_for(wb.model(LENET), recipe(), 60, lambda: True)


def test_the_environment_caps_seconds(monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, "3.5")
    assert (granted(60), granted(1)) == (3.5, 1)
    monkeypatch.delenv(VARIABLE)
    assert granted(60) == 60


@pytest.mark.parametrize("given", ["0", "-2", "much", "nan"])
def test_a_cap_that_is_none_is_one_sentence(monkeypatch, given) -> None:
    monkeypatch.setenv(VARIABLE, given)
    with pytest.raises(WorkbenchError, match="must be a number of seconds above 0"):
        granted(60)
