"""Experiments on tasks without classes: they rank by the metric of the task."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import workbench as wb
from tests.raises import raises
from workbench.cancel import NEVER
from workbench.domain.metric import PERPLEXITY, RMSE
from workbench.evaluation.scores import reference_score
from workbench.experiments import cross_validate, race, search, sweep
from workbench.experiments.cross_validation import fold_jobs
from workbench.experiments.job import Outcome
from workbench.experiments.quick_evaluation import QuickEvaluation
from workbench.experiments.race import Race
from workbench.experiments.search import Search, SearchTrial
from workbench.experiments.trial import Trial
from workbench.recipe import Recipe
from workbench.training.compress import compress

GOOD, ABSURD = 0.05, 1e-6


def largest(outputs, targets):
    """Return the largest error."""
    return float((outputs - targets).abs().max())


def correlation(outputs, targets):
    """Return how far outputs rise with targets, from -1 to 1."""
    return float(torch.corrcoef(torch.stack([outputs.flatten(), targets.flatten()]))[0, 1])


largest.higher_is_better = False
METRICS = [None, "r2", largest, correlation]


@pytest.fixture
def rule(brief):
    return replace(brief, optimizer="sgd", learning_rate=GOOD, steps=40, batch=16)


def exact(model, settings):
    """Return the exact metric of the file that `settings` make."""
    weights = compress(model, Recipe(train=settings)).weights()
    return reference_score(model, weights, model.task.split("validation")).value


@pytest.mark.slow
@pytest.mark.parametrize("metric", METRICS)
def test_a_race_is_ranked_by_the_metric_of_the_task(linear, rule, metric):
    model = linear(metric)
    ways = {"absurd": replace(rule, learning_rate=ABSURD), "good": rule}
    *_, last = race(model, ways, checks=2)
    assert last.metric == model.task.metric
    assert [result.name for result in last.ranking] == ["good", "absurd"]
    assert last.winner.name == "good"
    for trial in last.trials:
        assert trial.value == exact(model, trial.params)
        assert trial.points[-1].value == pytest.approx(trial.value, rel=1e-5)  # all examples


def test_a_diverged_trial_is_ranked_last_if_lower_is_better(linear, rule):
    ways = {"wild": replace(rule, learning_rate=10.0, steps=200), "good": rule}
    *_, last = race(linear(), ways, checks=2)
    assert last.trials[0].state == "diverged"
    assert [result.name for result in last.ranking] == ["good", "wild"]


def test_nan_is_ranked_behind_all_numbers(brief):
    ends = {"none": float("nan"), "bad": float("inf"), "good": 0.1, "fair": 0.2}
    candidates = [Trial(name, brief, 0, value=end) for name, end in ends.items()]
    best = Race(tuple(candidates), 1, RMSE).ranking
    assert [result.name for result in best][:2] == ["good", "fair"]
    trials = [SearchTrial(brief, {"n": n}, (Outcome(v, 10, 1.0),)) for n, v in ends.items()]
    assert Search(tuple(trials), 1, RMSE).best.params == {"n": "good"}


def test_early_stopping_in_a_race_returns_the_best_check(linear, rule):
    patient = replace(rule, learning_rate=0.3, batch=4, schedule="constant", patience=2)
    *_, last = race(linear(), {"one": patient}, checks=40)
    (trial,) = last.trials
    assert trial.state == "stopped early"
    values = [point.value for point in trial.points]
    # Every other check of the race coincides with one of early stopping.
    assert trial.value == pytest.approx(min(values[1::2]), rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("metric", METRICS)
def test_a_search_ranks_by_the_metric_of_the_task(linear, rule, metric):
    model = linear(metric)
    result = search(model, {"learning_rate": [ABSURD, GOOD]}, rule, processes=1)
    assert result.metric == model.task.metric
    assert [trial.params["learning_rate"] for trial in result.ranking] == [GOOD, ABSURD]
    assert result.best.mean == exact(model, result.best.settings)


@pytest.mark.slow
@pytest.mark.parametrize("metric", METRICS)
def test_folds_are_evaluated_by_the_metric_of_the_task(linear, rule, metric):
    model = linear(metric)
    good = cross_validate(model, rule, folds=3, processes=1)
    absurd = cross_validate(model, replace(rule, learning_rate=ABSURD), folds=3, processes=1)
    assert good.metric == model.task.metric
    assert all(map(good.metric.better, good.values, absurd.values))
    assert [fold.examples for fold in good.folds] == [30, 30, 30]


@pytest.mark.slow
def test_a_custom_metric_works_in_other_processes(linear, rule):
    model = linear(largest)
    one, two = (cross_validate(model, rule, folds=2, processes=count) for count in (1, 2))
    assert one.values == two.values


def test_regression_folds_are_random(linear, rule):
    model = linear()
    jobs = fold_jobs(model, rule, 4)
    assert sorted(np.concatenate([job.test_indices for job in jobs])) == list(range(90))
    assert not any(set(job.train_indices) & set(job.test_indices) for job in jobs)
    other = fold_jobs(model, replace(rule, seed=1), 4)
    assert not np.array_equal(jobs[0].test_indices, other[0].test_indices)
    with raises("training.folds", "2 to 90", "91"):
        fold_jobs(model, rule, 91)


def test_a_sweep_uses_the_metric_of_the_task(linear, rule):
    model = linear()
    *_, last = sweep(model, replace(rule, teacher="self"), temperatures=[1], repeats=1)
    assert last.metric == RMSE
    assert [level.mix for level in last.levels] == [0.0, 0.9]
    for outcome in last.outcomes:
        assert outcome.value == pytest.approx(exact(model, outcome.recipe.train), rel=1e-5)
    labels, taught = last.levels
    assert labels.mean < taught.mean  # the untrained original is a bad teacher


def test_sequences_are_compared_by_perplexity(linear, brief):
    """The next token is always the current one plus one, modulo five."""
    linear()  # its fixture unregisters models
    inputs = torch.arange(120).view(30, 4) % 5
    data = dict.fromkeys(("train", "validation", "test"), (inputs, (inputs + 1) % 5))
    net = nn.Sequential(nn.Embedding(5, 8), nn.Linear(8, 5))
    model = wb.from_module(net, **data, name="counting")
    assert model.task.metric == PERPLEXITY
    ways = {"absurd": replace(brief, learning_rate=ABSURD)}
    ways["good"] = replace(brief, learning_rate=0.1, steps=30)
    *_, last = race(model, ways, checks=1)
    assert last.winner.name == "good"
    good, absurd = last.ranking
    assert 1 <= good.mean < absurd.mean
    split = model.task.split("validation")
    estimate = QuickEvaluation(model, split).evaluate(model.weights(), NEVER)
    assert estimate == pytest.approx(reference_score(model, model.weights(), split).value, rel=1e-5)
    assert cross_validate(model, ways["good"], folds=2, processes=1).mean < absurd.mean
