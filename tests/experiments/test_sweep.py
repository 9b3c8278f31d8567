"""The sweep: students trained together equal those that their recipes train alone."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest
import torch
from torch import nn

from tests.raises import raises
from workbench.artifact.module_spec import UNCHANGED
from workbench.calibration.structure import PreparedNetwork
from workbench.cancel import CancelToken
from workbench.compression.roles import Roles
from workbench.compression.stats import CalibrationStats
from workbench.errors import Cancelled, RecipeError
from workbench.experiments.stacked_students import MAX_PARAMETERS, stackable
from workbench.experiments.sweep import (
    Level,
    Point,
    Student,
    StudentResult,
    Sweep,
    levels,
    student_grid,
)
from workbench.recipe import Recipe, Train
from workbench.training.run import Run
from workbench.training.subset import select_labels
from workbench.training.teacher import Teacher
from workbench.training.types import TrainingSetup

EXAMPLES, CLASSES = 96, 4


def dense():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, CLASSES))


def convolutional():
    return nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(27, CLASSES)
    )


class School:
    """Setups for small students on random images. Counts the examples of the teacher."""

    def __init__(self, build):
        rng = np.random.default_rng(0)
        self.build = build
        self.examples = rng.integers(0, 256, (EXAMPLES, 8, 8), dtype=np.uint8)
        self.labels = rng.integers(0, CLASSES, EXAMPLES)
        torch.manual_seed(9)
        shell = dense()
        self.teacher = Teacher(shell.to("meta"), dense().state_dict())
        self.teacher_examples = 0

        def inputs(first, end):
            self.teacher_examples += end - first
            return self.inputs(self.examples[first:end])

        self.teacher.precompute(inputs, EXAMPLES)

    def inputs(self, images):
        return torch.from_numpy(images).unsqueeze(1).float() / 255

    def setup(self, recipe):
        torch.manual_seed(recipe.train.seed)
        module = self.build()
        weights = {name: tensor.detach() for name, tensor in module.state_dict().items()}
        setup = TrainingSetup(
            module=module.to("meta"),
            prepared=PreparedNetwork(weights, CalibrationStats(), UNCHANGED),
            roles=Roles.of(weights),
            examples=self.examples,
            labels=self.labels,
            inputs=self.inputs,
            teacher=self.teacher if recipe.train.teacher else None,
        )
        return select_labels(setup, recipe.train)


def settings(**more):
    values = {"steps": 12, "batch": 32, "teacher": "self", "learning_rate": 5e-3, **more}
    return Train(**values)


def trained(school, train, students):
    """Return the points of a whole sweep, and the final weights of each student."""
    final = {}
    last = []

    def validate(weights):
        last.append(weights)
        return 0.5

    points = []
    for event in Sweep(school.setup, train, students).go(validate):
        if isinstance(event, Point):
            points.append(event)
        else:
            final[event.student] = last.pop()
    return points, final


def alone(school, recipe):
    run = Run(school.setup(recipe), recipe)
    steps = list(run.go())
    return steps, run.trained().weights


@pytest.mark.slow
@pytest.mark.parametrize("more", [
    {},
    {"weight_decay": 0.1, "schedule": "one_cycle"},
    {"optimizer": "nesterov", "learning_rate": 0.05, "label_smoothing": 0.1},
    {"optimizer": "rmsprop", "matching": "logits", "learning_rate": 1e-3},
    {"shift": 1},
    {"batch": EXAMPLES},
])  # fmt: skip
def test_a_stacked_student_equals_one_trained_alone(more):
    school, train = School(dense), settings(**more)
    students = student_grid([1.0, 4.0, 20.0], [0.5, 1.0], [0, 3])
    points, final = trained(school, train, students)
    assert set(final) == set(students)
    for student in students:
        steps, weights = alone(school, Sweep(school.setup, train, students).recipe(student))
        mine = [point for point in points if point.student == student]
        assert [p.step for p in mine] == [s.step for s in steps]
        # A loss near zero is a difference of float32 values near one, accurate to about 1e-6.
        same = pytest.approx([s.loss for s in steps], rel=1e-4, abs=5e-6)
        assert [p.loss for p in mine] == same
        assert [p.value for p in mine] == pytest.approx([s.value for s in steps])
        for name, weight in weights.items():
            torch.testing.assert_close(final[student][name], weight, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("build", "more"), [(convolutional, {}), (dense, {"labels": 0.25})])
def test_students_in_parallel_are_bit_identical_to_their_recipes(build, more):
    school, train = School(build), settings(**more)
    students = student_grid([2.0, 8.0], [0.9], [0, 1])
    points, final = trained(school, train, students)
    assert len(points) == Sweep(school.setup, train, students).steps
    for student in students:
        _steps, weights = alone(school, Sweep(school.setup, train, students).recipe(student))
        assert all(torch.equal(final[student][name], weights[name]) for name in weights)


def test_the_teacher_runs_once_for_all_students():
    school = School(dense)
    trained(school, settings(), student_grid([1.0, 4.0, 9.0], [0.5, 1.0], [0, 1, 2]))
    assert school.teacher_examples == EXAMPLES


def test_the_number_of_threads_is_restored():
    before = torch.get_num_threads()
    trained(School(convolutional), settings(threads=2), student_grid([4.0], [0.9], [0, 1]))
    counts = []
    thread = threading.Thread(target=lambda: counts.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert (torch.get_num_threads(), counts) == (before, [before])


@pytest.mark.parametrize(("build", "more", "supports_stacking"), [
    (dense, {}, True),
    (dense, {"dropout": 0.2}, False),
    (dense, {"clip": 1.0}, False),
    (dense, {"labels": 0.5}, False),
    (dense, {"sparsening": "rewind"}, False),
    (convolutional, {}, False),
    (lambda: nn.Sequential(nn.Linear(64, CLASSES), nn.BatchNorm1d(CLASSES)), {}, False),
    (lambda: nn.Sequential(dense(), nn.BatchNorm1d(CLASSES, affine=False)), {}, False),
    (lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, MAX_PARAMETERS // 65)), {}, True),
    (lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, MAX_PARAMETERS // 65 + 1)), {}, False),
])  # fmt: skip
def test_which_students_are_stacked(build, more, supports_stacking):
    train = settings(**more)
    assert stackable(School(build).setup(Recipe(train=train)), train) == supports_stacking


@pytest.mark.parametrize("build", [dense, convolutional])
def test_cancelling_stops_all_students(build):
    school, seen = School(build), []
    going = Sweep(school.setup, settings(), student_grid([1.0, 4.0], [0.9], [0])).go(
        lambda weights: 0.5, CancelToken(lambda: len(seen) > 5)
    )
    with pytest.raises(Cancelled):
        seen.extend(going)


@pytest.mark.parametrize("build", [dense, convolutional])
def test_closing_the_generator_stops_the_students(build):
    going = Sweep(School(build).setup, settings(steps=100_000), student_grid([1.0], [0.9], [0])).go(
        len
    )
    next(going)
    going.close()


@pytest.mark.parametrize("build", [dense, convolutional])
def test_a_student_that_diverges_is_reported_and_does_not_affect_others(build):
    school = School(build)
    train = settings(optimizer="sgd", learning_rate=1.0, matching="logits")
    teacher = school.teacher.cached
    teacher[:] = teacher * 1e30  # students that learn from labels only are not affected
    students = student_grid([1.0], [1.0], [0])
    results = [
        e for e in Sweep(school.setup, train, students).go(len) if isinstance(e, StudentResult)
    ]
    by_mix = {result.student.mix: result for result in results}
    assert by_mix[1.0].value is None
    assert "no longer finite at step" in by_mix[1.0].problem
    assert by_mix[0.0].value is not None
    assert not by_mix[0.0].problem


def test_a_student_that_diverges_in_its_last_step_is_reported():
    train = settings(steps=1, optimizer="sgd", learning_rate=10.0, matching="logits")
    school = School(dense)
    school.teacher.cached = school.teacher.cached * 1e18  # the loss is just finite
    school.inputs = lambda images: torch.from_numpy(images).unsqueeze(1).float() * 1e20
    results = [e for e in Sweep(school.setup, train, student_grid([1.0], [1.0], [0])).go(len)
                if isinstance(e, StudentResult)]  # fmt: skip
    assert [r.value for r in results if r.student.mix] == [None]


def test_an_error_in_the_validation_is_raised():
    def broken(weights):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(
            Sweep(School(convolutional).setup, settings(), student_grid([1.0], [0.9], [0])).go(
                broken
            )
        )


def test_an_error_in_a_student_is_raised():
    school = School(convolutional)
    school.labels = school.labels + CLASSES
    with raises("module.failed", "IndexError: Target 5 is out of bounds"):
        list(Sweep(school.setup, settings(), student_grid([1.0], [0.9], [0])).go(len))


def test_each_seed_has_one_student_that_learns_from_labels_only():
    students = student_grid([1.0, 4.0], [0.0, 0.9], [5, 6])
    assert [s for s in students if s.mix == 0] == [Student(5, 0.0, 1.0), Student(6, 0.0, 1.0)]
    assert len(students) == 2 * (1 + 2)


@pytest.mark.parametrize("empty", [([], [0.9], [0]), ([1.0], [], [0]), ([1.0], [0.9], [])])
def test_an_empty_grid_is_rejected(empty):
    with raises("training.empty_sweep"):
        student_grid(*empty)


@pytest.mark.parametrize("student", [Student(0, 0.5, 0.0), Student(0, 0.5, -1.0),
                                     Student(0, 1.5, 4.0), Student(-1, 0.5, 4.0)])  # fmt: skip
def test_values_out_of_range_are_rejected_before_training(student):
    with pytest.raises(RecipeError):
        Sweep(School(dense).setup, settings(), [student])


def test_a_sweep_without_a_teacher_is_rejected():
    with raises("training.no_teacher"):
        Sweep(School(dense).setup, settings(teacher=""), student_grid([1.0], [0.9], [0]))


def test_levels_have_the_mean_and_spread_over_seeds():
    students = student_grid([1.0, 4.0], [0.9], [0, 1])
    results = [
        StudentResult(Student(0, 0.9, 4.0), Recipe(), 0.8),
        StudentResult(Student(1, 0.9, 4.0), Recipe(), 0.9),
        StudentResult(Student(0, 0.9, 1.0), Recipe(), None, "diverged"),
        StudentResult(Student(0, 0.0, 1.0), Recipe(), 0.7),
    ]
    plain, low, high = levels(students, results)
    assert plain == Level(1.0, 0.0, (0.7,))
    assert (plain.mean, plain.spread) == (0.7, None)
    assert (low.values, low.mean) == ((), None)
    assert high.mean == pytest.approx(0.85)
    assert high.spread == pytest.approx(math.sqrt(2) * 0.05)
