"""Converting seconds to steps by timing a pilot run."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import workbench as wb
from tests.raises import raises
from workbench.cancel import NEVER, CancelToken
from workbench.errors import Cancelled
from workbench.training import budget, teacher
from workbench.training.budget import (
    BATCH_PARTS,
    MIN_PILOT,
    MIN_STEP_SHARE,
    PILOT,
    VARIABLE,
    WARM_UP,
    capped_seconds,
    steps_for,
)
from workbench.training.early_stopping import CHECKS
from workbench.training.fake_quantize import FakeQuantizer
from workbench.training.run import Run
from workbench.training.setup import training_setup
from workbench.training.sparsity_schedule import ROUNDS, STAIRS

LENET = "fashion/lenet-300-100"


BATCH = 8
"""The batch size whose steps take the seconds that a test sets."""


class Clock:
    """A fake clock that advances only when a test says so."""

    def __init__(self):
        self.now = 100.0
        self.steps = 0

    def costs(self, work, *seconds):
        """Return `work` such that call n takes `seconds[n]`, and later calls the last of them."""
        remaining = list(seconds)

        def slow(*args):
            cost = remaining.pop(0) if len(remaining) > 1 else remaining[0]
            batch = args[0].settings.batch if args and isinstance(args[0], Run) else BATCH
            self.now += cost * batch / BATCH
            return work(*args)

        return slow


@pytest.fixture
def clock(monkeypatch):
    """Let training run on a fake clock. It takes no time unless the test sets `timings`."""
    fake = Clock()
    monkeypatch.setattr(budget, "time", SimpleNamespace(perf_counter=lambda: fake.now))

    def counted(self, cancelled):
        fake.steps += 1
        self.step += 1
        return 0.5, 0.5

    monkeypatch.setattr(Run, "_step", counted)
    return fake


@pytest.fixture
def timings(clock, monkeypatch):
    """Return a function that sets how many seconds each operation takes."""

    def set_timings(step=(0.0,), setup=(0.0,), check=0.0, masks=0.0):
        def check_part(run, cancelled, examples):
            clock.now += check * examples / len(run.setup.held_out.labels)

        monkeypatch.setattr(Run, "_step", clock.costs(Run._step, *step))
        monkeypatch.setattr(budget, "training_setup", clock.costs(budget.training_setup, *setup))
        monkeypatch.setattr(Run, "evaluate_held_out", check_part)
        monkeypatch.setattr(Run, "recompute_masks", clock.costs(lambda *args: None, masks))
        monkeypatch.setattr(Run, "recalibrate", lambda *args: None)
        return clock

    return set_timings


@pytest.mark.parametrize(
    ("each", "seconds", "pilot"),
    [
        (0.01, 60, 1 + WARM_UP + PILOT),
        (0.1, 60, 1 + 49),  # more than 8 % of the time
        (5.0, 60, 1 + MIN_PILOT),
        (40.0, 60, 0),  # a part of a step is enough
        (1e-6, 60, 1 + WARM_UP + PILOT),
        (0.125, 3, 1 + 2),
    ],
)
def test_steps_follow_from_the_speed_of_the_pilot(each, seconds, pilot, timings, make_recipe):
    clock = timings(step=(each,))
    begin = clock.now
    steps = steps_for(wb.model(LENET), make_recipe(batch=BATCH), seconds)
    parts = 1 if pilot else 2  # the first step of a slow network may only be the slow first one
    assert clock.now - begin == pytest.approx((pilot + parts / BATCH_PARTS) * each)
    available = max(seconds * MIN_STEP_SHARE, seconds - (clock.now - begin))
    assert steps == pytest.approx(max(1, min(budget.MAX_STEPS, available / each)), abs=1)
    assert clock.steps == parts + pilot


def test_slow_first_steps_and_outliers_are_ignored(timings, make_recipe):
    slow = [2.0, 2.0, 1.0, 0.5, *[0.1] * 5, 7.0, 0.1]
    clock = timings(step=slow)
    begin = clock.now
    steps = steps_for(wb.model(LENET), make_recipe(batch=BATCH), 300)
    assert steps == pytest.approx((300 - (clock.now - begin)) / 0.1, abs=1)


@pytest.mark.parametrize(
    ("settings", "extra"),
    [
        ({}, 0),
        ({"patience": 3}, CHECKS * 0.25),
        ({"sparsening": "cubic"}, (STAIRS - 1) * 0.5),
        ({"sparsening": "rewind", "patience": 1}, (ROUNDS - 1) * 0.5 + CHECKS // ROUNDS * 0.25),
    ],
)
def test_time_besides_steps_is_subtracted(settings, extra, timings, make_recipe):
    clock = timings(step=(0.1,), setup=(9.0, 2.0), check=0.25, masks=0.5)
    begin, calls = clock.now, []

    def finish(*args):
        clock.now += 1.5
        calls.append(args)

    recipe = make_recipe(prune={"sparsity": 0.5}, batch=BATCH, **settings)
    steps = steps_for(wb.model(LENET), recipe, 100, finish=finish)
    to_come = 2.0 + 1.5 + extra
    assert steps == pytest.approx((100 - (clock.now - begin) - to_come) / 0.1, abs=1)
    ((model, of, setup, result),) = calls
    assert (model, of) == (wb.model(LENET), recipe)
    assert result.weights.keys() == setup.weights.keys()


def test_measuring_a_watched_run_takes_a_share_of_the_time(timings, make_recipe):
    clock = timings(step=(0.1,))
    begin = clock.now
    recipe = make_recipe(batch=BATCH)
    alone = steps_for(wb.model(LENET), recipe, 100)
    pilot = clock.now - begin
    watched = steps_for(wb.model(LENET), recipe, 100, watched=True)
    assert alone == pytest.approx((100 - pilot) / 0.1, abs=1)
    assert watched == pytest.approx((100 - pilot) / (0.1 * (1 + budget.COURSE_SHARE)), abs=1)


@pytest.mark.parametrize(("norms", "to_come"), [("recalibrate", 0.4 * 32 / 4), ("keep", 0)])
def test_time_of_batch_norm_recalibration_is_subtracted(
    norms, to_come, timings, make_recipe, monkeypatch
):
    clock, batches = timings(step=(0.1,)), []
    monkeypatch.setattr(Run, "recalibrate", clock.costs(lambda *args: batches.append(args[2]), 0.4))
    begin = clock.now
    steps = steps_for(wb.model(LENET), make_recipe(batch=BATCH, batch_norm=norms), 40)
    assert steps == pytest.approx((40 - (clock.now - begin) - to_come) / 0.1, abs=1)
    assert batches == [budget.RECALIBRATION_SAMPLE][: norms == "recalibrate"]


def test_a_slow_first_step_does_not_make_the_network_slow(timings, make_recipe):
    clock = timings(step=(60.0, *[0.05] * 200))
    begin = clock.now
    steps = steps_for(wb.model(LENET), make_recipe(batch=BATCH), 40)
    assert steps == pytest.approx((40 - (clock.now - begin)) / 0.05, abs=1)


def test_a_teacher_timed_slower_than_a_step_does_not_make_steps_free(timings, make_recipe):
    clock = timings(step=(0.1,))
    recipe = make_recipe(teacher="fashion/mlp-32", batch=20_000, steps=1)

    def slow(*_arguments):
        return 0.0, 5.0  # seconds that each step saves

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(budget, "_teacher_seconds", slow)
        begin = clock.now
        steps = steps_for(wb.model(LENET), recipe, 60)
    each = 0.1 * 20_000 / BATCH * (1 - budget.MAX_SAVED)
    available = max(60 * MIN_STEP_SHARE, 60 - (clock.now - begin))
    assert steps == pytest.approx(max(1, available / each), abs=1)


def test_with_few_steps_there_are_as_few_checks(timings, make_recipe):
    clock = timings(step=(0.1,), check=1.9)
    begin = clock.now
    steps = steps_for(wb.model(LENET), make_recipe(patience=3, batch=BATCH), 20)
    assert steps == int((20 - (clock.now - begin)) / (0.1 + 1.9))
    assert steps < CHECKS


def test_the_pilot_changes_masks_as_rarely_as_training(timings, make_recipe, monkeypatch) -> None:
    shares = []
    update = FakeQuantizer.update_masks
    monkeypatch.setattr(
        FakeQuantizer, "update_masks", lambda *a: (shares.append(a[2]), update(*a))[1]
    )
    timings(step=(0.01,))
    recipe = make_recipe(prune={"sparsity": 0.9}, sparsening="cubic", batch=BATCH)
    steps_for(wb.model(LENET), recipe, 60)
    assert len(shares) == 3  # once at the start of each of three runs


@pytest.mark.slow
def test_a_timed_check_and_mask_update_do_not_change_the_run(start_run, make_recipe, finish, same):
    recipe = make_recipe(prune={"sparsity": 0.5}, patience=2, batch=8, steps=6)
    plain, timed = start_run(recipe), start_run(recipe)
    timed.evaluate_held_out(NEVER, 100)
    timed.recompute_masks()
    for run in (plain, timed):
        finish(run)
    assert same(plain.trained().weights, timed.trained().weights)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), 86_401])
def test_too_few_or_too_many_seconds_are_rejected(seconds, make_recipe) -> None:
    with raises("training.seconds", "above 0", "86400"):
        steps_for(wb.model(LENET), make_recipe(), seconds)


def test_a_pilot_can_be_cancelled(make_recipe) -> None:
    with pytest.raises(Cancelled):
        steps_for(wb.model(LENET), make_recipe(), 60, CancelToken(lambda: True))


def test_the_environment_limits_seconds(monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, "3.5")
    assert (capped_seconds(60), capped_seconds(1)) == (3.5, 1)
    monkeypatch.delenv(VARIABLE)
    assert capped_seconds(60) == 60


@pytest.mark.parametrize("text", ["0", "-2", "much", "nan"])
def test_an_invalid_budget_variable_is_rejected(monkeypatch, text) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with raises("training.budget_variable", VARIABLE, text):
        capped_seconds(60)


@pytest.mark.parametrize("steps", [1, 3])
def test_logits_are_precomputed_only_if_training_sees_every_example(steps, make_recipe):
    model = wb.model(LENET)
    half = len(model.task.split("train").examples) // 2
    recipe = make_recipe(teacher="fashion/mlp-32", batch=half, steps=steps)
    setup = training_setup(model, recipe)
    assert (setup.teacher.cached is not None) == (steps * half >= len(setup.labels))


def test_the_time_of_a_teacher_is_that_of_its_predictions(clock, timings, make_recipe, monkeypatch):
    timings(step=(0.2,))
    monkeypatch.setattr(teacher, "is_precomputed", lambda *args: False)

    def predict(self, inputs):
        clock.now += 1.0
        return real(self, inputs)

    real = teacher.Teacher.predict
    monkeypatch.setattr(teacher.Teacher, "predict", predict)
    model = wb.model(LENET)
    examples = len(model.task.split("train").examples)
    recipe = make_recipe(teacher="fashion/mlp-32", batch=BATCH)
    begin = clock.now
    few = steps_for(model, recipe, 60)
    assert few == pytest.approx((60 - (clock.now - begin)) / 0.2, abs=6)
    assert few * BATCH < examples
    many = steps_for(model, recipe, 2000)
    saved = BATCH / teacher.BATCH
    assert many == pytest.approx((2000 - examples / teacher.BATCH) / (0.2 - saved), rel=0.02)
    assert many * BATCH >= examples
