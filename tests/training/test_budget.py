"""Seconds become steps: by a pilot's pace, never by guessing."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import workbench as wb
from workbench.errors import Cancelled, RecipeError, WorkbenchError
from workbench.training import budget
from workbench.training.budget import (
    LEAST,
    LEFT,
    PILOT,
    VARIABLE,
    WARM_UP,
    capped_seconds,
    steps_for,
)
from workbench.training.early_stopping import CHECKS
from workbench.training.fake_quantize import FakeQuantizer
from workbench.training.run import Run
from workbench.training.sparsity_schedule import ROUNDS, STAIRS

LENET = "fashion/lenet-300-100"


class Clock:
    """Time that passes only where a test says so."""

    def __init__(self):
        self.now = 100.0
        self.steps = 0

    def costs(self, work, *seconds):
        """Return `work`, which then takes the next of `seconds` at each call, at last the last."""
        left = list(seconds)

        def slow(*how):
            self.now += left.pop(0) if len(left) > 1 else left[0]
            return work(*how)

        return slow


@pytest.fixture
def clock(monkeypatch):
    """Let training take time by a clock of its own: no time at all unless the test says so."""
    made = Clock()
    monkeypatch.setattr(budget, "time", SimpleNamespace(perf_counter=lambda: made.now))

    def counted(self, cancelled):
        made.steps += 1
        self.step += 1
        return 0.5, 0.5

    monkeypatch.setattr(Run, "_step", counted)
    return made


@pytest.fixture
def taking(clock, monkeypatch):
    """Say what takes how many seconds."""

    def say(step=(0.0,), setup=(0.0,), look=0.0, recompute_masks=0.0):
        monkeypatch.setattr(Run, "_step", clock.costs(Run._step, *step))
        monkeypatch.setattr(budget, "training_setup", clock.costs(budget.training_setup, *setup))
        monkeypatch.setattr(Run, "look", clock.costs(lambda *how: None, look))
        monkeypatch.setattr(Run, "recompute_masks", clock.costs(lambda *how: None, recompute_masks))
        monkeypatch.setattr(Run, "recalibrate", lambda *how: None)
        return clock

    return say


@pytest.mark.parametrize(
    ("each", "seconds", "pilot"),
    [
        (0.01, 60, 1 + WARM_UP + PILOT),
        (0.1, 60, 1 + 49),  # more than 8 % of the time
        (5.0, 60, 1 + LEAST),
        (40.0, 60, 1),
        (1e-6, 60, 1 + WARM_UP + PILOT),
        (0.125, 3, 1 + 2),
    ],
)
def test_steps_follow_the_pace(each, seconds, pilot, roundable, recipe):
    clock = roundable(step=(each,))
    found = steps_for(wb.model(LENET), recipe(batch=4), seconds)
    left = max(seconds * LEFT, seconds - pilot * each)
    assert found == pytest.approx(max(1, min(budget.MOST, left / each)), abs=1)
    assert clock.steps == pilot


def test_first_steps_and_one_that_was_interrupted_do_not_set_the_pace(roundable, recipe):
    slow = [2.0, 1.0, 0.5, *[0.1] * 5, 7.0, 0.1]
    clock = roundable(step=slow)
    begin = clock.now
    found = steps_for(wb.model(LENET), recipe(batch=4), 300)
    assert found == pytest.approx((300 - (clock.now - begin)) / 0.1, abs=1)


@pytest.mark.parametrize(
    ("settings", "beside"),
    [
        ({}, 0),
        ({"patience": 3}, CHECKS * 0.25),
        ({"sparsening": "cubic"}, (STAIRS - 1) * 0.5),
        ({"sparsening": "rewind", "patience": 1}, (ROUNDS - 1) * 0.5 + CHECKS // ROUNDS * 0.25),
    ],
)
def test_what_comes_beside_the_steps_is_taken_off(settings, beside, roundable, recipe):
    clock = roundable(step=(0.1,), setup=(9.0, 2.0), look=0.25, recompute_masks=0.5)
    begin, made = clock.now, []

    def finish(*how):
        clock.now += 1.5
        made.append(how)

    asked = recipe(prune={"sparsity": 0.5}, batch=4, **settings)
    found = steps_for(wb.model(LENET), asked, 100, finish=finish)
    to_come = 2.0 + 1.5 + beside
    assert found == pytest.approx((100 - (clock.now - begin) - to_come) / 0.1, abs=1)
    ((model, of, learned, done),) = made
    assert (model, of) == (wb.model(LENET), asked)
    assert done.weights.keys() == learned.weights.keys()


@pytest.mark.parametrize(("norms", "to_come"), [("recalibrate", 0.4 * 32 / 4), ("keep", 0)])
def test_batch_norm_measured_before_the_first_step_is_taken_off(
    norms, to_come, roundable, recipe, monkeypatch
):
    clock, asked = roundable(step=(0.1,)), []
    monkeypatch.setattr(Run, "recalibrate", clock.costs(lambda *how: asked.append(how[2]), 0.4))
    begin = clock.now
    found = steps_for(wb.model(LENET), recipe(batch=4, batch_norm=norms), 40)
    assert found == pytest.approx((40 - (clock.now - begin) - to_come) / 0.1, abs=1)
    assert asked == [budget.FEW][: norms == "recalibrate"]


def test_with_few_steps_there_are_as_few_looks(roundable, recipe):
    clock = roundable(step=(0.1,), look=1.9)
    begin = clock.now
    found = steps_for(wb.model(LENET), recipe(patience=3, batch=4), 20)
    assert found == int((20 - (clock.now - begin)) / (0.1 + 1.9))
    assert found < CHECKS


def test_the_pilot_changes_masks_as_rarely_as_training_will(roundable, recipe, monkeypatch) -> None:
    found = []
    plain = FakeQuantizer.update_masks
    monkeypatch.setattr(
        FakeQuantizer, "update_masks", lambda *a: (found.append(a[2]), plain(*a))[1]
    )
    roundable(step=(0.01,))
    asked = recipe(prune={"sparsity": 0.9}, sparsening="cubic", batch=4)
    steps_for(wb.model(LENET), asked, 60)
    assert len(found) == 2  # as each of two runs begins


def test_a_look_and_new_masks_leave_the_run_as_it_was(begun, recipe, finish, same):
    asked = recipe(prune={"sparsity": 0.5}, patience=2, batch=8, steps=6)
    plain, looked = begun(asked), begun(asked)
    looked.look(lambda: False)
    looked.recompute_masks()
    for run in (plain, looked):
        finish(run)
    assert same(plain.trained().weights, looked.trained().weights)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), 86_401])
def test_no_time_and_too_much_are_refused(seconds, recipe) -> None:
    with pytest.raises(RecipeError, match="above 0 and at most 86400 seconds"):
        steps_for(wb.model(LENET), recipe(), seconds)


def test_a_pilot_can_be_cancelled(recipe) -> None:
    with pytest.raises(Cancelled):
        steps_for(wb.model(LENET), recipe(), 60, lambda: True)


def test_the_environment_caps_seconds(monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, "3.5")
    assert (capped_seconds(60), capped_seconds(1)) == (3.5, 1)
    monkeypatch.delenv(VARIABLE)
    assert capped_seconds(60) == 60


@pytest.mark.parametrize("given", ["0", "-2", "much", "nan"])
def test_a_cap_that_is_none_is_one_sentence(monkeypatch, given) -> None:
    monkeypatch.setenv(VARIABLE, given)
    with pytest.raises(WorkbenchError, match="must be a number of seconds above 0"):
        capped_seconds(60)
