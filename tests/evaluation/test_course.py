"""The course of a training run: the metric of the file as it would be at a step."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

import workbench as wb
from workbench.cache.files import FileCache
from workbench.cache.results import ResultCache
from workbench.cancel import CancelToken
from workbench.errors import Cancelled
from workbench.evaluation import course
from workbench.evaluation.course import Course, exact_score
from workbench.evaluation.measure import evaluate, measure
from workbench.evaluation.training_progress import TrainingProgress, aim
from workbench.recipe import Train
from workbench.training.compress import compress

NAME = "fashion/mlp-32"
PRUNED = wb.Recipe(prune=wb.Prune(0.9), quantize=wb.Quantize(bits=4))
SETTINGS = {
    "cubic": Train(40, sparsening="cubic", average=0.9, patience=3, threads=1),
    "learned": Train(30, rounding="learned", dropout=0.2, shift=1, threads=1),
    "rewind": Train(24, sparsening="rewind", rounding="afterwards", threads=1),
    "scratch": Train(30, start="scratch", sparsening="linear", threads=1),
}


@pytest.fixture(autouse=True)
def _one_thread(threads):
    """Use one thread, so that results do not depend on the machine."""


@pytest.fixture
def often(monkeypatch):
    """Measure as many points as the steps allow, whatever they cost."""
    monkeypatch.setattr(course, "COURSE_SHARE", 1e9)


def watch(recipe, name=NAME, store=None, cancel=None):
    """Train, and return the file and the points of its course."""
    measured = Course(wb.model(name), recipe, store or ResultCache(), cancel or CancelToken())
    points = []
    artifact = compress(
        wb.model(name),
        recipe,
        on_step=lambda step: points.extend(measured.add(step)),
        files=FileCache(None),
    )
    return artifact, points


@pytest.mark.slow
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_watching_does_not_change_the_file(settings, often):
    recipe = replace(PRUNED, train=settings)
    plain = compress(wb.model(NAME), recipe, files=FileCache(None))
    artifact, points = watch(recipe)
    assert len(points) > 10
    assert artifact.to_bytes() == plain.to_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["cubic", "learned"])
def test_the_first_point_is_the_compressed_model_before_training(kind):
    recipe = replace(PRUNED, train=SETTINGS[kind])
    (step, estimate), *_rest = watch(recipe)[1]
    exact = measure(wb.model(NAME), PRUNED, timed=False, store=ResultCache())
    assert step == 0
    assert not estimate.exact
    assert estimate.low <= exact.value <= estimate.high
    store = ResultCache()
    measure(wb.model(NAME), PRUNED, timed=False, store=store)
    assert watch(recipe, store=store)[1][0] == (0, exact.score)  # measured before


def test_from_scratch_the_first_point_is_chance():
    (step, score), *_rest = watch(replace(PRUNED, train=SETTINGS["scratch"]))[1]
    assert step == 0
    assert score.value < 0.25


@pytest.mark.slow
def test_growing_sparsity_does_not_lower_the_curve(often):
    """While the trained network is still dense, its file would have all zeros already."""
    recipe = wb.Recipe(prune=wb.Prune(0.95), train=Train(60, sparsening="cubic", threads=1))
    _artifact, points = watch(recipe, "fashion/lenet-300-100")
    values = [score.value for _step, score in points]
    assert values[0] < 0.75
    assert max(values[:5]) < 0.85  # not the accuracy of the network without zeros, 0.88
    assert values[-1] > values[0] + 0.1


@pytest.mark.slow
def test_a_point_is_the_file_that_would_result(often):
    recipe = replace(PRUNED, train=SETTINGS["cubic"])
    files = {}

    def keep(step):
        if step.step in (1, 20):
            files[step.step] = step.file()

    compress(wb.model(NAME), recipe, on_step=keep, files=FileCache(None))
    for artifact in files.values():
        assert artifact.recipe == recipe
        report = evaluate(artifact, timed=False)
        assert report.sparsity_achieved == pytest.approx(0.9, abs=0.001)
        assert exact_score(wb.model(NAME), artifact).value == report.value


@pytest.mark.slow
def test_all_points_are_of_the_same_examples(often):
    points = watch(replace(PRUNED, train=SETTINGS["cubic"]))[1]
    assert len({(score.examples, score.total) for _step, score in points}) == 1
    assert points == watch(replace(PRUNED, train=SETTINGS["cubic"]))[1]


def test_measuring_is_limited_to_a_share_of_the_time(monkeypatch):
    clock, spent = [0.0], []
    monkeypatch.setattr(course, "time", type("T", (), {"perf_counter": lambda: clock[0]}))

    def score(self, artifact):
        clock[0] += 0.25
        spent.append(0.25)
        return wb.measure(wb.model(NAME), PRUNED, timed=False).score

    monkeypatch.setattr(Course, "_score", score)
    measured = Course(wb.model(NAME), replace(PRUNED, train=Train(1000)), ResultCache())
    steps = []
    for number in range(1, 1001):
        event = step_event(number, 1000, seconds=0.02 * number)
        steps += [at for at, _score in measured.add(event)]
    assert steps[0] == 0
    assert sum(spent[1:]) <= course.COURSE_SHARE * 20
    assert len(steps) == 1 + int(course.COURSE_SHARE * 20 / 0.25)
    gaps = [later - earlier for earlier, later in pairwise(steps[1:])]
    assert max(gaps) <= 1.5 * min(gaps)  # spread over the run


def step_event(step, steps, seconds):
    from workbench.training.types import TrainingStep

    return TrainingStep(
        step=step,
        steps=steps,
        loss=1.0,
        value=0.5,
        learning_rate=0.1,
        sparsity=0.5,
        seconds=seconds,
        examples=step,
        batch=1,
        over=step == steps,
        file=lambda: None,
    )


def test_measuring_can_be_cancelled():
    with pytest.raises(Cancelled):
        watch(replace(PRUNED, train=SETTINGS["cubic"]), cancel=CancelToken(lambda: True))


def test_weights_of_which_no_file_can_be_made_have_no_point(often):
    recipe = wb.Recipe(quantize=wb.Quantize(bits=16, format="fp16"))
    measured = Course(wb.model(NAME), replace(recipe, train=Train(4)), ResultCache())
    assert len(measured.add(step_event(1, 4, 0.1))) == 1

    def fail():
        from workbench.errors import RecipeError

        raise RecipeError("A weight does not fit.")

    assert measured.add(replace(step_event(2, 4, 0.2), file=fail)) == ()


def test_progress_keeps_the_steps_and_the_course():
    score = wb.measure(wb.model(NAME), PRUNED, timed=False).score
    progress = TrainingProgress(Train(4)).after(step_event(1, 4, 0.1), ((0, score),))
    assert progress.fraction == 0.25
    assert progress.result is None
    progress = progress.after(step_event(4, 4, 0.4))
    assert progress.steps == ((1, 1.0, 0.5), (4, 1.0, 0.5))
    assert progress.result is None  # not measured yet
    progress = progress.measured(score)
    assert progress.result == score
    assert progress.measured(score) == progress
    assert [step for step, _score in progress.course] == [0, 4]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Train(), "fine_tune"),
        (Train(teacher="self"), "distill"),
        (Train(start="scratch"), "train"),
        (Train(start="scratch", teacher="self"), "student"),
    ],
)
def test_the_aim_follows_from_the_settings(settings, expected):
    assert aim(settings) == expected
