"""A race: the same start, curves on the way, an exact end, early stopping, fair seconds."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest
import torch

from workbench.errors import Cancelled, RecipeError
from workbench.evaluation.progress import reference_counts
from workbench.experiments import race
from workbench.experiments.race import Race
from workbench.experiments.trial import Trial
from workbench.pipeline import compress
from workbench.recipe import Recipe, Train


def field(brief, **more):
    return {
        "sgd": replace(brief, optimizer="sgd", learning_rate=0.1, **more),
        "adam": replace(brief, optimizer="adam", **more),
    }


def plain(trial):
    """What of a lane does not hang on the clock."""
    looks = [(point.step, point.loss, point.value) for point in trial.points]
    return trial.name, trial.repeat, looks, trial.state, trial.value


def test_curves_come_in_and_the_end_is_exact(small, brief):
    seen = list(race(small, field(brief), checks=3))
    last = seen[-1]
    assert [len(one.trials) for one in seen] == [2] * len(seen)
    assert [one.over for one in seen] == [False] * (len(seen) - 1) + [True]
    assert seen[0].winner is None
    for lane in last.trials:
        assert [point.step for point in lane.points] == [2, 4, 6]
        assert lane.points[0].seconds < lane.points[1].seconds
        made = compress(small, Recipe(train=lane.settings)).weights()
        validation = small.task.split("validation")
        assert lane.value == reference_counts(small, made, validation).accuracy
    best = max(last.trials, key=lambda trial: trial.value)
    assert last.winner.name == best.name


def test_company_changes_nothing(small, brief):
    ways = field(brief, dropout=0.2)
    together = [plain(lane) for lane in list(race(small, ways, checks=2))[-1].trials]
    alone = [
        plain(list(race(small, {name: settings}, checks=2))[-1].trials[0])
        for name, settings in ways.items()
    ]
    assert together == alone


def test_repeats_have_seeds_of_their_own(small, brief):
    last = list(race(small, {"one": brief}, repeats=2, checks=1))[-1]
    assert [lane.settings.seed for lane in last.trials] == [0, 1]
    assert last.trials[0].value != last.trials[1].value
    (standing,) = last.ranking
    assert standing.values == tuple(lane.value for lane in last.trials)
    assert standing.mean == pytest.approx(sum(standing.values) / 2)
    apart = abs(standing.values[0] - standing.values[1])
    assert standing.spread == pytest.approx(apart / 2**0.5)


def test_equal_settings_have_equal_starts_and_ends(small, brief):
    first, second = list(race(small, {"a": brief, "b": brief}, checks=2))[-1].trials
    assert plain(first)[2:] == plain(second)[2:]


class Timed:
    """A contestant whose turns take what its name says, on a clock of its own."""

    turns: ClassVar[list[str]] = []

    def __init__(self, model, trial, look, **_more):
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


def test_whoever_has_trained_least_goes_next(monkeypatch, small, brief):
    monkeypatch.setattr("workbench.experiments.race.RunningTrial", Timed)
    list(race(small, {"1": brief, "3": brief}))
    assert Timed.turns == ["1", "3", "1", "1", "1", "3", "1", "1"]


def test_who_stops_early_says_so_and_is_judged_by_its_best_weights(small, brief):
    patient = replace(brief, optimizer="sgd", learning_rate=3.0, steps=40, patience=2)
    last = list(race(small, {"one": patient}, checks=4))[-1]
    (lane,) = last.trials
    assert lane.state == "stopped early"
    assert lane.points[-1].step < 40
    weights = compress(small, Recipe(train=lane.settings)).weights()
    assert lane.value == reference_counts(small, weights, small.task.split("validation")).accuracy


def test_who_diverges_says_so_and_the_others_go_on(small, brief):
    ways = {"wild": replace(brief, optimizer="sgd", learning_rate=10.0, steps=200, batch=8)}
    ways["calm"] = brief
    last = list(race(small, ways, checks=2))[-1]
    wild, calm = last.trials
    assert wild.state == "diverged"
    assert "no longer a number at step" in wild.problem
    assert wild.value is not None
    assert (calm.state, calm.problem) == ("finished", None)
    assert last.over


def test_a_race_can_be_cancelled(small, brief):
    asked = []

    def cancelled():
        asked.append(True)
        return len(asked) > 4

    with pytest.raises(Cancelled):
        list(race(small, field(brief), cancelled=cancelled))
    assert len(asked) == 5


def test_threads_are_as_before_however_it_ends(small, brief):
    ways = {name: replace(one, threads=2) for name, one in field(brief).items()}
    list(race(small, ways, checks=1))
    assert torch.get_num_threads() == 1
    going = race(small, ways)
    next(going)
    going.close()
    assert torch.get_num_threads() == 1


def test_nothing_is_left_behind_in_the_model(small, brief):
    before = {name: tensor.clone() for name, tensor in small.weights().items()}
    list(race(small, {"on": replace(brief, start="trained", learning_rate=0.1)}, checks=1))
    assert all(torch.equal(tensor, before[name]) for name, tensor in small.weights().items())


def test_the_order_among_level_ones_is_the_given_one(brief):
    ends = {"a": 0.5, "b": 0.7, "c": 0.7}
    lanes = [Trial(name, brief, 0, value=value) for name, value in ends.items()]
    assert [one.name for one in Race(tuple(lanes), 1).ranking] == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("contestants", "more", "words"),
    [
        ({}, {}, "needs contestants"),
        ({"a": Recipe()}, {}, "The contestant a must be a Train"),
        ({"a": Train(threads=1), "b": Train(threads=2)}, {}, "b trains on another number"),
        (["a"], {}, "Contestants must be a dict"),
        ({"a": Train()}, {"repeats": 0}, "number of repeats must be"),
        ({"a": Train()}, {"looks": 2.5}, "number of looks must be"),
    ],
)
def test_bad_input_is_refused_at_once(small, contestants, more, words):
    with pytest.raises(RecipeError, match=words):
        race(small, contestants, **more)
