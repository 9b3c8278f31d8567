"""A race: equal starts, learning curves, exact results, early stopping, fair timing."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import ClassVar

import pytest
import torch

from tests.raises import raises
from workbench.cancel import CancelToken
from workbench.errors import Cancelled, WorkbenchError
from workbench.evaluation.progress import reference_counts
from workbench.experiments import race
from workbench.experiments.race import Race
from workbench.experiments.trial import Trial
from workbench.recipe import Recipe, Train
from workbench.training.compress import compress


def candidates(brief, **more):
    return {
        "sgd": replace(brief, optimizer="sgd", learning_rate=0.1, **more),
        "adam": replace(brief, optimizer="adam", **more),
    }


def timeless(trial):
    """Return what does not depend on the clock."""
    checks = [(point.step, point.loss, point.value) for point in trial.points]
    return trial.name, trial.repeat, checks, trial.state, trial.value


@pytest.mark.slow
def test_curves_grow_and_final_values_are_exact(small, brief):
    seen = list(race(small, candidates(brief), checks=3))
    last = seen[-1]
    assert [len(state.trials) for state in seen] == [2] * len(seen)
    assert [state.over for state in seen] == [False] * (len(seen) - 1) + [True]
    assert seen[0].winner is None
    for trial in last.trials:
        assert [point.step for point in trial.points] == [2, 4, 6]
        assert trial.points[0].seconds < trial.points[1].seconds
        assert trial.points[0].energy.joules < trial.points[1].energy.joules
        assert trial.energy == trial.points[-1].energy
        weights = compress(small, Recipe(train=trial.params)).weights()
        validation = small.task.split("validation")
        assert trial.value == reference_counts(small, weights, validation).accuracy
    best = max(last.trials, key=lambda trial: trial.value)
    assert last.winner.name == best.name


@pytest.mark.slow
def test_other_candidates_do_not_change_the_result(small, brief):
    ways = candidates(brief, dropout=0.2)
    together = [timeless(trial) for trial in list(race(small, ways, checks=2))[-1].trials]
    alone = [
        timeless(list(race(small, {name: settings}, checks=2))[-1].trials[0])
        for name, settings in ways.items()
    ]
    assert together == alone


def test_repeats_have_different_seeds(small, brief):
    last = list(race(small, {"one": brief}, repeats=2, checks=1))[-1]
    assert [trial.params.seed for trial in last.trials] == [0, 1]
    assert last.trials[0].value != last.trials[1].value
    (result,) = last.ranking
    assert result.values == tuple(trial.value for trial in last.trials)
    assert result.mean == pytest.approx(sum(result.values) / 2)
    difference = abs(result.values[0] - result.values[1])
    assert result.spread == pytest.approx(difference / 2**0.5)


def test_equal_settings_give_equal_results(small, brief):
    first, second = list(race(small, {"a": brief, "b": brief}, checks=2))[-1].trials
    assert timeless(first)[2:] == timeless(second)[2:]


class Timed:
    """A fake trial whose time slices take as many seconds as its name says."""

    turns: ClassVar[list[str]] = []

    def __init__(self, model, trial, evaluation, **_more):
        self.name, self.seconds, self.state = trial.name, 0.0, "training"
        self.trial = trial

    def advance(self, seconds):
        self.turns.append(self.name)
        self.seconds += float(self.name)
        if self.seconds >= 6:
            self.state = "finished"
        return self.state == "finished"

    def close(self):
        pass


def test_the_trial_with_the_least_training_time_is_next(monkeypatch, small, brief):
    module = import_module("workbench.experiments.race")  # the package attribute is the function
    monkeypatch.setattr(module, "RunningTrial", Timed)
    list(race(small, {"1": brief, "3": brief}))
    assert Timed.turns == ["1", "3", "1", "1", "1", "3", "1", "1"]


@pytest.mark.slow
def test_an_early_stopped_trial_is_evaluated_with_its_best_weights(small, brief):
    patient = replace(brief, optimizer="sgd", learning_rate=3.0, steps=40, patience=2)
    last = list(race(small, {"one": patient}, checks=4))[-1]
    (trial,) = last.trials
    assert trial.state == "stopped early"
    assert trial.points[-1].step < 40
    weights = compress(small, Recipe(train=trial.params)).weights()
    assert trial.value == reference_counts(small, weights, small.task.split("validation")).accuracy


def test_a_diverged_trial_is_reported_and_the_others_continue(small, brief):
    ways = {"wild": replace(brief, optimizer="sgd", learning_rate=10.0, steps=200, batch=8)}
    ways["calm"] = brief
    last = list(race(small, ways, checks=2))[-1]
    wild, calm = last.trials
    assert wild.state == "diverged"
    assert "no longer finite at step" in wild.problem
    assert wild.value is not None
    assert (calm.state, calm.problem) == ("finished", None)
    assert last.over


def test_a_race_can_be_cancelled(small, brief):
    polls = []

    def cancelled():
        polls.append(True)
        return len(polls) > 4

    with pytest.raises(Cancelled):
        list(race(small, candidates(brief), cancel=CancelToken(cancelled)))
    assert len(polls) == 5


@pytest.mark.slow
def test_the_number_of_threads_is_restored(small, brief):
    ways = {name: replace(settings, threads=2) for name, settings in candidates(brief).items()}
    list(race(small, ways, checks=1))
    assert torch.get_num_threads() == 1
    going = race(small, ways)
    next(going)
    going.close()
    assert torch.get_num_threads() == 1


def test_the_model_is_not_changed(small, brief):
    before = {name: tensor.clone() for name, tensor in small.weights().items()}
    list(race(small, {"on": replace(brief, start="trained", learning_rate=0.1)}, checks=1))
    assert all(torch.equal(tensor, before[name]) for name, tensor in small.weights().items())


def test_ties_keep_the_given_order(brief):
    ends = {"a": 0.5, "b": 0.7, "c": 0.7}
    trials = [Trial(name, brief, 0, value=value) for name, value in ends.items()]
    assert [result.name for result in Race(tuple(trials), 1).ranking] == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("ways", "more", "code", "fact"),
    [
        ({}, {}, "training.no_candidates", "candidates"),
        ({"a": Recipe()}, {}, None, "candidate a"),
        (
            {"a": Train(threads=1), "b": Train(threads=2)},
            {},
            "training.threads_differ",
            "candidate b",
        ),
        (["a"], {}, None, "candidates"),
        ({"a": Train()}, {"repeats": 0}, None, "repeats"),
        ({"a": Train()}, {"checks": 2.5}, None, "checks"),
    ],
)
def test_invalid_arguments_are_rejected_at_once(small, ways, more, code, fact):
    with raises(code, fact) if code else pytest.raises(WorkbenchError, match=fact):
        race(small, ways, **more)
