"""Training in a session: seconds become steps, progress is reported, and it can be stopped."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

import workbench as wb
from tests.raises import raises
from workbench.cache.files import FileCache
from workbench.cache.results import ResultCache
from workbench.cancel import CancelToken
from workbench.errors import Cancelled
from workbench.session import Session, teacher_warning
from workbench.training import budget
from workbench.training.run import Run
from workbench.zoo import model

NAME = "fashion/lenet-300-100"
SPARSE = wb.Recipe(prune=wb.Prune(0.9), quantize=wb.Quantize(bits=4))
SECONDS_PER_STEP = 0.01


@pytest.fixture
def real(until):
    session = Session(NAME, store=ResultCache())
    until(session, lambda: not session.busy)
    session.set(SPARSE)
    until(session, lambda: not session.busy)
    yield session
    session.close()


@pytest.fixture
def steady(monkeypatch):
    """Let steps take `SECONDS_PER_STEP` on the clock of the budget, on any machine."""
    clock = SimpleNamespace(now=0.0, perf_counter=lambda: clock.now)
    step, batch = Run._step, wb.Train().batch

    def timed(run, cancel):
        clock.now += SECONDS_PER_STEP * run.settings.batch / batch
        return step(run, cancel)

    monkeypatch.setattr(Run, "_step", timed)
    monkeypatch.setattr(budget, "time", clock)


@pytest.mark.slow
@pytest.mark.usefixtures("steady")
def test_seconds_become_steps_and_recover_accuracy(real, until):
    before = real.report
    seen = []
    real.subscribe(lambda session: seen.append(session.training))
    begin = time.monotonic()
    real.train(wb.Train(threads=1), seconds=3)
    until(real, lambda: not real.busy)
    passed = time.monotonic() - begin
    recipe = real.recipe
    assert recipe.untrained == SPARSE
    assert 0.8 * 3 < recipe.train.steps * SECONDS_PER_STEP < 3  # the pilot takes the others
    assert real.report.recipe == recipe
    assert real.report.exact
    assert real.report.accuracy > before.accuracy + 0.1
    assert real.report.training["examples_per_second"] > 0
    training = real.training
    assert training.step == training.settings.steps == recipe.train.steps
    steps = [step for step, _loss, _sparsity in training.steps]
    assert steps == sorted(set(steps))
    first, *_others, last = training.course
    assert first == (0, before.score)  # of the compressed model, measured exactly before
    assert last == (recipe.train.steps, real.report.score)
    assert training.result == real.report.score
    assert real.report.training["seconds"] < training.elapsed < passed
    assert len([progress for progress in seen if progress is not None]) >= 2
    assert real.visited[-1].recipe == recipe
    again = Session(NAME, store=real.store)
    again.restore(real.query())  # the link repeats the run, whose result is cached
    assert again.recipe == recipe
    assert again.report.accuracy == real.report.accuracy
    again.close()
    real.undo()
    until(real, lambda: not real.busy)
    assert real.recipe == SPARSE
    assert real.training is None
    real.redo()
    assert real.training == training


@pytest.mark.slow
def test_cancelling_keeps_the_earlier_results(real, until):
    before = real.report
    real.train(wb.Train(threads=1), seconds=3000)
    until(real, lambda: real.training is not None)
    real.cancel()
    assert not real.busy
    assert real.stale
    assert real.report == before
    real.set(SPARSE)
    until(real, lambda: not real.busy)
    assert real.report.recipe == SPARSE


@pytest.mark.slow
def test_a_slider_interrupts_training_with_a_note_and_undo_resumes_it(
    real, until, monkeypatch, tmp_path
):
    files = FileCache(tmp_path)
    monkeypatch.setattr("workbench.training.compress.default_file_cache", lambda: files)
    real.train(wb.Train(threads=1), seconds=3000)
    until(real, lambda: real.training is not None and real.training.step > 5)
    assert real.note is None
    real.set(wb.Recipe())
    stopped_at = int(real.note.split(" of ")[0].rsplit(" ")[-1])
    assert "undo to resume" in real.note
    until(real, lambda: not real.busy)
    assert "undo to resume" in real.note
    real.undo()
    assert real.note is None
    until(real, lambda: real.training is not None)
    assert real.training.step > stopped_at  # resumed, not restarted
    real.cancel()


def test_a_slider_moved_before_the_first_step_is_noted(real, until, monkeypatch):
    started, proceed = threading.Event(), threading.Event()

    def steps_for(*_arguments, watched):
        started.set()
        assert proceed.wait(20)
        return 5

    monkeypatch.setattr("workbench.training.budget.steps_for", steps_for)
    real.train(wb.Train(threads=1), seconds=3)
    assert started.wait(20)
    real.set(wb.Recipe())
    assert "before its first step" in real.note
    proceed.set()
    until(real, lambda: not real.busy)
    real.undo()
    assert real.note is None
    until(real, lambda: not real.busy)
    assert real.recipe.train.steps == 5


def test_a_file_that_is_no_longer_cached_is_trained_again(real, until, monkeypatch):
    real.set(wb.Recipe(train=wb.Train(4, threads=1)))
    until(real, lambda: not real.busy)
    first = real.artifact().to_bytes()
    empty = FileCache(None)
    monkeypatch.setattr("workbench.training.compress.default_file_cache", lambda: empty)
    seen = []
    assert real.artifact(on_step=lambda step: seen.append(step.step)).to_bytes() == first
    assert seen == [1, 2, 3, 4]
    monkeypatch.setattr("workbench.training.compress.default_file_cache", lambda: FileCache(None))
    with pytest.raises(Cancelled):
        real.artifact(cancel=CancelToken(lambda: True))


@pytest.mark.slow
def test_divergence_is_a_clear_error(real, until):
    before = real.report
    real.train(wb.Train(threads=1, optimizer="sgd", learning_rate=10, clip=0), seconds=3)
    until(real, lambda: not real.busy)
    if real.error is None:  # it did not diverge in these few steps
        assert real.report.exact
    else:
        assert "learning rate" in real.error
        assert real.report == before
        assert real.stale


def test_invalid_training_settings_are_refused_at_once(real):
    with raises("name.unknown", "unknown-teacher"):
        real.train(wb.Train(teacher="unknown-teacher"), seconds=1)
    assert real.recipe == SPARSE
    assert not real.busy


def test_a_teacher_worse_than_the_student_causes_a_warning():
    warning = teacher_warning(model("fashion/resnet"), "fashion/lenet5")
    assert "91.6" in warning
    assert "92.6" in warning
    assert teacher_warning(model("fashion/lenet5"), "fashion/resnet") is None
    assert teacher_warning(model("fashion/lenet5"), "self") is None


@pytest.mark.slow
def test_a_temperature_sweep_is_reported_level_by_level(real):
    seen = []
    real.subscribe(lambda session: session.sweep_result and seen.append(session.sweep_result))
    stages = []
    real.subscribe(lambda session: stages.append(session.sweep_progress))
    fractions = []
    settings = wb.Train(threads=1, teacher="fashion/lenet5", start="scratch")
    real.sweep(settings, 2, on_progress=fractions.append)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    baseline, *levels = real.sweep_result.levels
    assert baseline.mix == 0
    assert len(baseline.values) == 2
    assert all(len(level.values) == 2 for level in levels)
    assert len(seen) >= len(levels)
    assert real.recipe == SPARSE  # the selection does not change
    assert stages[0].students == 0  # the speed is being measured
    assert stages[1].students == 12
    assert [stage.finished for stage in stages] == sorted(stage.finished for stage in stages)
    assert real.sweep_progress == stages[-1]
    assert (stages[-1].finished, stages[-1].completed, stages[-1].over) == (12, 1.0, True)
    for outcome in real.sweep_result.outcomes[:2]:
        report = wb.measure(real.model, outcome.recipe, timed=False, store=ResultCache())
        assert report.accuracy == pytest.approx(outcome.value, abs=0.001)
    real.choose_model("fashion/lenet5")
    assert real.sweep_result is None


@pytest.mark.slow
def test_a_cancelled_sweep_keeps_its_results(real):
    settings = wb.Train(threads=1, teacher="fashion/lenet5", start="scratch")
    with pytest.raises(Cancelled):
        real.sweep(settings, 30, cancel=CancelToken(lambda: real.sweep_result is not None))
    assert real.sweep_result is not None
    assert real.sweep_progress.over
    assert real.sweep_progress.completed < 1


@pytest.mark.parametrize(
    ("settings", "seconds", "code"),
    [
        ({}, 5, "training.no_teacher"),
        ({"teacher": "unknown-teacher"}, 5, "name.unknown"),
        ({"teacher": "self"}, 0, "training.seconds"),
    ],
)
def test_an_invalid_sweep_is_a_clear_error(real, settings, seconds, code):
    with raises(code):
        real.sweep(wb.Train(threads=1, **settings), seconds)
    assert real.sweep_progress is None


def test_cancelling_before_the_first_step_restores_the_selection(real, monkeypatch):
    from workbench.training import budget

    started = threading.Event()

    def wait_for_cancel(model, recipe, seconds, cancel, finish, *, watched):
        started.set()
        while not cancel.cancelled:
            pass
        raise Cancelled("Training was stopped.")

    monkeypatch.setattr(budget, "steps_for", wait_for_cancel)
    real.train(wb.Train(threads=1), seconds=300)
    assert started.wait(60)
    real.cancel()
    assert real.recipe == SPARSE
    assert not real.stale


@pytest.mark.slow
def test_a_link_with_an_unknown_teacher_opens_the_original_model(real, until):
    with raises("name.unknown", "unknown-teacher"):
        real.restore(f"v=1&m={NAME}&train.steps=3&train.teacher=unknown-teacher")
    until(real, lambda: not real.busy)
    assert real.recipe == wb.Recipe()
    assert real.report is not None
