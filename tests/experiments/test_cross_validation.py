"""Cross-validation: stratified folds, and the same result for any number of processes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.raises import raises
from workbench.cancel import CancelToken
from workbench.errors import Cancelled, WorkbenchError
from workbench.experiments import cross_validate
from workbench.experiments.cross_validation import fold_jobs
from workbench.experiments.job import run_job
from workbench.recipe import Recipe
from workbench.training.setup import training_setup


def outcomes(result):
    return [(fold.value, fold.examples, fold.problem) for fold in result.folds]


@pytest.mark.slow
def test_the_number_of_processes_does_not_change_the_result(small, brief):
    seen = []
    one = cross_validate(small, brief, folds=3, processes=1, on_update=seen.append)
    two = cross_validate(small, replace(brief, threads=2), folds=3, processes=2)
    assert outcomes(one) == outcomes(two)
    assert [len(so_far.values) for so_far in seen] == [1, 2, 3]
    assert one.mean == pytest.approx(np.mean(one.values))
    assert one.spread == pytest.approx(np.std(one.values, ddof=1))


def test_every_example_is_held_out_once_and_folds_are_stratified(small, brief):
    labels = small.task.split("train").labels
    jobs = fold_jobs(small, brief, 4)
    assert sorted(np.concatenate([job.test_indices for job in jobs])) == list(range(len(labels)))
    total = np.bincount(labels)
    for job in jobs:
        assert not set(job.train_indices) & set(job.test_indices)
        assert np.abs(np.bincount(labels[job.test_indices]) - total / 4).max() <= 1


def test_folds_depend_on_the_seed(small, brief):
    first, again = fold_jobs(small, brief, 3), fold_jobs(small, brief, 3)
    other = fold_jobs(small, replace(brief, seed=1), 3)
    assert np.array_equal(first[0].test_indices, again[0].test_indices)
    assert not np.array_equal(first[0].test_indices, other[0].test_indices)


def test_a_subset_includes_the_teacher_outputs(small, brief):
    recipe = Recipe(train=replace(brief, teacher="self", batch=1000, steps=20))
    setup = training_setup(small, recipe)
    indices = np.array([5, 3, 999])
    subset = training_setup(small, recipe, examples=indices)
    assert np.array_equal(subset.labels, setup.labels[indices])
    assert np.array_equal(subset.examples, setup.examples[indices])
    assert np.array_equal(subset.teacher.cached.numpy(), setup.teacher.cached.numpy()[indices])
    assert len(setup.teacher.cached) == len(setup.labels)


def test_a_fold_that_diverges_is_reported(small, brief):
    wild = replace(brief, optimizer="sgd", learning_rate=10.0, steps=200, batch=8)
    outcome = run_job(fold_jobs(small, wild, 2)[0])
    assert "no longer finite" in outcome.problem
    assert outcome.examples == 10_000


@pytest.mark.parametrize("processes", [1, 2])
def test_it_can_be_cancelled(small, brief, processes):
    with pytest.raises(Cancelled):
        cross_validate(small, brief, folds=3, processes=processes, cancel=CancelToken(lambda: True))


@pytest.mark.parametrize(
    ("change", "more", "code", "fact"),
    [
        ({"start": "trained"}, {}, "training.held_out_seen", "scratch"),
        ({}, {"folds": 1}, "training.folds", "from 2 to"),
        ({}, {"folds": 100_000}, "training.folds", "100000"),
        ({}, {"folds": "three"}, None, "folds"),
        ({}, {"processes": 0}, None, "processes"),
    ],
)
def test_invalid_arguments_are_rejected(small, brief, change, more, code, fact):
    with raises(code, fact) if code else pytest.raises(WorkbenchError, match=fact):
        cross_validate(small, replace(brief, **change), **more)
