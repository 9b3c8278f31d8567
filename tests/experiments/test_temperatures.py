"""Comparing temperatures: the students of a sweep, and the accuracy of their files."""

from __future__ import annotations

from dataclasses import replace

import pytest

import workbench as wb
from tests.raises import raises
from workbench.cancel import CancelToken
from workbench.errors import Cancelled, WorkbenchError
from workbench.evaluation.progress import reference_counts
from workbench.experiments import sweep
from workbench.training.compress import compress

STUDENT = "fashion/cnn-10k"  # convolutions train in parallel, with the bits of one trained alone


@pytest.fixture
def taught(brief):
    return replace(brief, teacher="fashion/lenet-300-100", steps=3, batch=16)


@pytest.mark.slow
def test_each_accuracy_is_that_of_the_file_of_its_recipe(taught):
    model = wb.model(STUDENT)
    *_, last = sweep(model, taught, temperatures=[1, 8], mixes=[0.5, 1.0], repeats=1)
    assert last.completed == 1
    assert [(level.mix, level.temperature) for level in last.levels] == [
        (0.0, 1.0), (0.5, 1.0), (0.5, 8.0), (1.0, 1.0), (1.0, 8.0),
    ]  # fmt: skip
    split = model.task.split("validation")
    for outcome in last.outcomes:
        weights = compress(model, outcome.recipe).weights()
        assert reference_counts(model, weights, split).accuracy == outcome.value


@pytest.mark.slow
def test_repeats_differ_by_seed(taught):
    *_, last = sweep(wb.model(STUDENT), taught, temperatures=[4], repeats=3)
    assert sorted({outcome.student.seed for outcome in last.outcomes}) == [0, 1, 2]
    assert all(len(level.values) == 3 for level in last.levels)


@pytest.mark.parametrize(
    ("settings", "more", "code", "fact"),
    [
        ({"teacher": ""}, {}, "training.no_teacher", "teacher"),
        ({}, {"temperatures": []}, "training.empty_sweep", "temperature"),
        ({}, {"temperatures": [0]}, None, "temperature"),
        ({}, {"repeats": 0}, None, "repeats"),
        ({}, {"mixes": [2]}, None, "mix"),
    ],
)
def test_invalid_arguments_are_rejected_at_once(taught, settings, more, code, fact):
    with raises(code, fact) if code else pytest.raises(WorkbenchError, match=fact):
        sweep(wb.model(STUDENT), replace(taught, **settings), **more)


def test_it_can_be_cancelled(taught):
    with pytest.raises(Cancelled):
        list(sweep(wb.model(STUDENT), taught, cancel=CancelToken(lambda: True)))
