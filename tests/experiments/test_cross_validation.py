"""Cross-validation: fair parts, nothing seen twice, the same result for one process and for two."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from workbench.errors import Cancelled, RecipeError
from workbench.experiments import cross_validate
from workbench.experiments.cross_validation import fold_jobs
from workbench.experiments.job import run_job, subset_setup
from workbench.recipe import Recipe
from workbench.training.setup import training_setup


def found(result):
    return [(fold.value, fold.examples, fold.problem) for fold in result.folds]


def test_one_process_and_two_find_the_same(small, brief):
    seen = []
    one = cross_validate(small, brief, folds=3, processes=1, progress=seen.append)
    two = cross_validate(small, replace(brief, threads=2), folds=3, processes=2)
    assert found(one) == found(two)
    assert [len(so_far.values) for so_far in seen] == [1, 2, 3]
    assert one.mean == pytest.approx(np.mean(one.values))
    assert one.spread == pytest.approx(np.std(one.values, ddof=1))


def test_every_example_is_held_out_once_and_classes_are_even(small, brief):
    labels = small.task.split("train").labels
    jobs = fold_jobs(small, brief, 4)
    assert sorted(np.concatenate([job.held_out for job in jobs])) == list(range(len(labels)))
    whole = np.bincount(labels)
    for job in jobs:
        assert not set(job.learned) & set(job.held_out)
        assert np.abs(np.bincount(labels[job.held_out]) - whole / 4).max() <= 1


def test_parts_hang_on_the_seed(small, brief):
    first, again = fold_jobs(small, brief, 3), fold_jobs(small, brief, 3)
    other = fold_jobs(small, replace(brief, seed=1), 3)
    assert np.array_equal(first[0].held_out, again[0].held_out)
    assert not np.array_equal(first[0].held_out, other[0].held_out)


def test_the_teachers_outputs_go_with_their_examples(small, brief):
    recipe = Recipe(train=replace(brief, teacher="self"))
    whole = training_setup(small, recipe)
    numbers = np.array([5, 3, 999])
    part = subset_setup(whole, numbers)
    assert np.array_equal(part.labels, whole.labels[numbers])
    assert np.array_equal(part.examples, whole.examples[numbers])
    assert np.array_equal(part.teacher.known.numpy(), whole.teacher.known.numpy()[numbers])
    assert len(whole.teacher.known) == len(whole.labels)


def test_a_fold_that_diverges_says_so(small, brief):
    wild = replace(brief, optimizer="sgd", learning_rate=10.0, steps=200, batch=8)
    outcome = run_job(fold_jobs(small, wild, 2)[0])
    assert "no longer a number" in outcome.problem
    assert outcome.examples == 10_000


@pytest.mark.parametrize("processes", [1, 2])
def test_it_can_be_cancelled(small, brief, processes):
    with pytest.raises(Cancelled):
        cross_validate(small, brief, folds=3, processes=processes, cancelled=lambda: True)


@pytest.mark.parametrize(
    ("change", "more", "error", "words"),
    [
        ({"start": "trained"}, {}, RecipeError, "have seen the examples"),
        ({}, {"folds": 1}, RecipeError, "folds must be from 2 to"),
        ({}, {"folds": 100_000}, RecipeError, "folds must be from 2 to"),
        ({}, {"folds": "three"}, RecipeError, "number of folds must be a whole number"),
        ({}, {"processes": 0}, RecipeError, "number of processes must be a whole number"),
    ],
)
def test_bad_input_is_one_sentence(small, brief, change, more, error, words):
    with pytest.raises(error, match=words):
        cross_validate(small, replace(brief, **change), **more)
