"""Trials of tasks that count no classes: each ranks and judges by the task's own metric."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import workbench as wb
from workbench.domain.metric import PERPLEXITY, RMSE
from workbench.errors import RecipeError
from workbench.evaluation.scores import reference_score
from workbench.experiments import cross_validate, race, search, sweep
from workbench.experiments.cross_validation import fold_jobs
from workbench.experiments.job import Outcome
from workbench.experiments.quick_evaluation import QuickEvaluation
from workbench.experiments.race import Race
from workbench.experiments.search import Search, SearchTrial
from workbench.experiments.trial import Trial
from workbench.pipeline import compress
from workbench.recipe import Recipe

GOOD, ABSURD = 0.05, 1e-6


def largest(outputs, targets):
    """Return the largest error."""
    return float((outputs - targets).abs().max())


def correlation(outputs, targets):
    """Return how far outputs rise with targets, from -1 to 1."""
    return float(torch.corrcoef(torch.stack([outputs.flatten(), targets.flatten()]))[0, 1])


largest.higher_is_better = False
METRICS = [None, "explained variance", largest, correlation]


@pytest.fixture
def rule(brief):
    return replace(brief, optimizer="sgd", learning_rate=GOOD, steps=40, batch=16)


def exact(model, settings):
    """Return the judge's figure of the file that `settings` make."""
    weights = compress(model, Recipe(train=settings)).weights()
    return reference_score(model, weights, model.task.split("validation")).value


@pytest.mark.parametrize("metric", METRICS)
def test_a_race_is_won_by_the_metric_of_the_task(linear, rule, metric):
    model = linear(metric)
    ways = {"absurd": replace(rule, learning_rate=ABSURD), "good": rule}
    *_, last = race(model, ways, checks=2)
    assert last.metric == model.task.metric
    assert [one.name for one in last.ranking] == ["good", "absurd"]
    assert last.winner.name == "good"
    for lane in last.trials:
        assert lane.value == exact(model, lane.settings)
        assert lane.points[-1].value == pytest.approx(lane.value, rel=1e-5)  # a look at all


def test_who_diverges_comes_last_where_less_is_better(linear, rule):
    ways = {"wild": replace(rule, learning_rate=10.0, steps=200), "good": rule}
    *_, last = race(linear(), ways, checks=2)
    assert last.trials[0].state == "diverged"
    assert [one.name for one in last.ranking] == ["good", "wild"]


def test_no_number_ranks_behind_any(brief):
    ends = {"none": float("nan"), "bad": float("inf"), "good": 0.1, "fair": 0.2}
    lanes = [Trial(name, brief, 0, value=end) for name, end in ends.items()]
    best = Race(tuple(lanes), 1, RMSE).ranking
    assert [one.name for one in best][:2] == ["good", "fair"]
    trials = [SearchTrial(brief, {"n": n}, (Outcome(v, 10, 1.0),)) for n, v in ends.items()]
    assert Search(tuple(trials), 1, RMSE).best.params == {"n": "good"}


def test_early_stopping_in_a_race_keeps_the_best_look(linear, rule):
    patient = replace(rule, learning_rate=0.3, batch=4, schedule="constant", patience=2)
    *_, last = race(linear(), {"one": patient}, checks=40)
    (lane,) = last.trials
    assert lane.state == "stopped early"
    looks = [point.value for point in lane.points]
    assert lane.value == pytest.approx(min(looks[1::2]), rel=1e-5)  # one in two is a look of both


@pytest.mark.parametrize("metric", METRICS)
def test_a_search_ranks_by_the_metric_of_the_task(linear, rule, metric):
    model = linear(metric)
    found = search(model, {"learning_rate": [ABSURD, GOOD]}, rule, processes=1)
    assert found.metric == model.task.metric
    assert [trial.params["learning_rate"] for trial in found.ranking] == [GOOD, ABSURD]
    assert found.best.mean == exact(model, found.best.settings)


@pytest.mark.parametrize("metric", METRICS)
def test_folds_are_judged_by_the_metric_of_the_task(linear, rule, metric):
    model = linear(metric)
    good = cross_validate(model, rule, folds=3, processes=1)
    absurd = cross_validate(model, replace(rule, learning_rate=ABSURD), folds=3, processes=1)
    assert good.metric == model.task.metric
    assert all(map(good.metric.better, good.values, absurd.values))
    assert [fold.examples for fold in good.folds] == [30, 30, 30]


def test_a_metric_of_ones_own_goes_to_other_processes(linear, rule):
    model = linear(largest)
    one, two = (cross_validate(model, rule, folds=2, processes=count) for count in (1, 2))
    assert one.values == two.values


def test_numbers_are_cut_into_parts_by_lot(linear, rule):
    model = linear()
    jobs = fold_jobs(model, rule, 4)
    assert sorted(np.concatenate([job.held_out for job in jobs])) == list(range(90))
    assert not any(set(job.learned) & set(job.held_out) for job in jobs)
    other = fold_jobs(model, replace(rule, seed=1), 4)
    assert not np.array_equal(jobs[0].held_out, other[0].held_out)
    with pytest.raises(RecipeError, match="folds must be from 2 to 90, not 91"):
        fold_jobs(model, rule, 91)


def test_a_sweep_says_what_the_metric_of_the_task_says(linear, rule):
    model = linear()
    *_, last = sweep(model, replace(rule, teacher="self"), temperatures=[1], repeats=1)
    assert last.metric == RMSE
    assert [level.mix for level in last.levels] == [0.0, 0.9]
    for outcome in last.outcomes:
        assert outcome.value == pytest.approx(exact(model, outcome.recipe.train), rel=1e-5)
    labels, taught = last.levels
    assert labels.mean < taught.mean  # the untrained original teaches nothing good


def test_sequences_are_compared_by_how_much_in_doubt_they_are(linear, brief):
    """Every place says what the next one is: the one after it, of five."""
    linear()  # its fixture forgets what is brought
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
    look = QuickEvaluation(model, split).figure(model.weights(), lambda: False)
    assert look == pytest.approx(reference_score(model, model.weights(), split).value, rel=1e-5)
    assert cross_validate(model, ways["good"], folds=2, processes=1).mean < absurd.mean
