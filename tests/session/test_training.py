"""Training in a session: seconds become steps, the course is told, and it can be stopped."""

from __future__ import annotations

import threading

import pytest

import workbench as wb
from workbench.cache.files import FileCache
from workbench.cache.results import ResultCache
from workbench.errors import Cancelled, WorkbenchError
from workbench.session import Session, teacher_warning
from workbench.zoo import model

NAME = "fashion/lenet-300-100"
SPARSE = wb.Recipe(prune=wb.Prune(0.9), quantize=wb.Quantize(bits=4))


@pytest.fixture
def real(until):
    made = Session(NAME, store=ResultCache())
    until(made, lambda: not made.busy)
    made.set(SPARSE)
    until(made, lambda: not made.busy)
    yield made
    made.close()


def test_seconds_become_steps_and_win_accuracy_back(real, until):
    before = real.report
    seen = []
    real.subscribe(lambda session: seen.append(session.training))
    real.train(wb.Train(threads=1), seconds=3)
    until(real, lambda: not real.busy)
    recipe = real.recipe
    assert recipe.untrained == SPARSE
    assert recipe.train.steps >= 5
    assert real.report.recipe == recipe
    assert real.report.exact
    assert real.report.accuracy > before.accuracy + 0.1
    assert real.report.training["examples_per_second"] > 0
    course = real.training
    assert course.step == course.steps == recipe.train.steps
    assert [step for step, _loss, _share in course.curve] == sorted(
        {step for step, _loss, _share in course.curve}
    )
    assert len([one for one in seen if one is not None]) >= 2
    assert real.visited[-1].recipe == recipe
    again = Session(NAME, store=real.store)
    again.restore(real.query())  # the link repeats the run, and the store knows its result
    assert again.recipe == recipe
    assert again.report.accuracy == real.report.accuracy
    again.close()
    real.undo()
    until(real, lambda: not real.busy)
    assert real.recipe == SPARSE


def test_cancelling_leaves_the_figures_before(real, until):
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


def test_a_slider_breaks_training_off_with_a_word_and_undo_goes_on(
    real, until, monkeypatch, tmp_path
):
    kept = FileCache(tmp_path)
    monkeypatch.setattr("workbench.pipeline.default_file_cache", lambda: kept)
    real.train(wb.Train(threads=1), seconds=3000)
    until(real, lambda: real.training is not None and real.training.step > 5)
    assert real.note is None
    real.set(wb.Recipe())
    left = int(real.note.split(" of ")[0].rsplit(" ")[-1])
    assert "undo to return" in real.note
    until(real, lambda: not real.busy)
    assert "undo to return" in real.note
    real.undo()
    assert real.note is None
    until(real, lambda: real.training is not None)
    assert real.training.step > left  # taken up, not begun again
    real.cancel()


def test_a_slider_moved_before_the_first_step_says_so(real, until, monkeypatch):
    begun, on = threading.Event(), threading.Event()

    def steps_for(*_how):
        begun.set()
        assert on.wait(20)
        return 5

    monkeypatch.setattr("workbench.training.budget.steps_for", steps_for)
    real.train(wb.Train(threads=1), seconds=3)
    assert begun.wait(20)
    real.set(wb.Recipe())
    assert "before its first step" in real.note
    on.set()
    until(real, lambda: not real.busy)
    real.undo()
    assert real.note is None
    until(real, lambda: not real.busy)
    assert real.recipe.train.steps == 5


def test_a_file_that_is_no_longer_kept_is_trained_again(real, until, monkeypatch):
    real.set(wb.Recipe(train=wb.Train(4, threads=1)))
    until(real, lambda: not real.busy)
    first = real.artifact().to_bytes()
    empty = FileCache(None)
    monkeypatch.setattr("workbench.pipeline.default_file_cache", lambda: empty)
    seen = []
    assert real.artifact(watch=lambda moment: seen.append(moment.step)).to_bytes() == first
    assert seen == [1, 2, 3, 4]
    monkeypatch.setattr("workbench.pipeline.default_file_cache", lambda: FileCache(None))
    with pytest.raises(Cancelled):
        real.artifact(cancelled=lambda: True)


def test_divergence_is_a_sentence(real, until):
    before = real.report
    real.train(wb.Train(threads=1, optimizer="sgd", learning_rate=10, clip=0), seconds=3)
    until(real, lambda: not real.busy)
    if real.error is None:  # it survived the few steps: then it was measured
        assert real.report.exact
    else:
        assert "learning rate" in real.error
        assert real.report == before
        assert real.stale


def test_what_cannot_be_trained_is_refused_at_once(real):
    with pytest.raises(WorkbenchError, match="nobody"):
        real.train(wb.Train(teacher="nobody"), seconds=1)
    assert real.recipe == SPARSE
    assert not real.busy


def test_a_teacher_worse_than_the_student_is_warned_of():
    said = teacher_warning(model("fashion/resnet"), "fashion/lenet5")
    assert "91.6" in said
    assert "92.6" in said
    assert teacher_warning(model("fashion/lenet5"), "fashion/resnet") is None
    assert teacher_warning(model("fashion/lenet5"), "self") is None


def test_a_row_of_temperatures_is_told_level_by_level(real):
    seen = []
    real.subscribe(lambda session: session.sweep_result and seen.append(session.sweep_result))
    shares = []
    taught = wb.Train(threads=1, teacher="fashion/lenet5", start="scratch")
    real.sweep(taught, 2, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    plain, *levels = real.sweep_result.levels
    assert plain.mix == 0
    assert len(plain.values) == 2
    assert all(len(level.values) == 2 for level in levels)
    assert len(seen) >= len(levels)
    assert real.recipe == SPARSE  # what is on the screen is not touched
    for outcome in real.sweep_result.outcomes[:2]:
        found = wb.measure(real.model, outcome.recipe, timed=False, store=ResultCache())
        assert found.accuracy == pytest.approx(outcome.value, abs=0.001)
    real.choose_model("fashion/lenet5")
    assert real.sweep_result is None


def test_a_sweep_can_be_cancelled_and_keeps_what_it_found(real):
    taught = wb.Train(threads=1, teacher="fashion/lenet5", start="scratch")
    with pytest.raises(Cancelled):
        real.sweep(taught, 30, cancelled=lambda: real.sweep_result is not None)
    assert real.sweep_result is not None


@pytest.mark.parametrize(
    ("settings", "seconds", "words"),
    [
        ({}, 5, "needs a teacher"),
        ({"teacher": "nobody"}, 5, "nobody"),
        ({"teacher": "self"}, 0, "above 0"),
    ],
)
def test_a_sweep_that_cannot_be_is_a_sentence(real, settings, seconds, words):
    with pytest.raises(WorkbenchError, match=words):
        real.sweep(wb.Train(threads=1, **settings), seconds)


def test_cancelling_before_the_first_step_is_as_if_not_asked(real, monkeypatch):
    from workbench.training import budget

    begun = threading.Event()

    def waiting(model, recipe, seconds, cancelled, finish):
        begun.set()
        while not cancelled():
            pass
        raise Cancelled("Training was stopped.")

    monkeypatch.setattr(budget, "steps_for", waiting)
    real.train(wb.Train(threads=1), seconds=300)
    assert begun.wait(60)
    real.cancel()
    assert real.recipe == SPARSE
    assert not real.stale


def test_a_link_with_a_wrong_teacher_shows_the_untouched_model(real, until):
    with pytest.raises(WorkbenchError, match="nobody"):
        real.restore(f"v=1&m={NAME}&train.steps=3&train.teacher=nobody")
    until(real, lambda: not real.busy)
    assert real.recipe == wb.Recipe()
    assert real.report is not None
