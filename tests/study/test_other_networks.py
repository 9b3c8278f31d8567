"""Other networks: named with numbers that hold, and only if they are better under the limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

import workbench as wb
from workbench import formatting
from workbench.recipe import Quantize, Recipe
from workbench.study.goal import Goal
from workbench.study.measurement import Job, measure_trial
from workbench.study.other_networks import _known, other_network
from workbench.study.reasons import on_new_data
from workbench.study.trial import EXACT, Trial
from workbench.zoo.students import students

BEST = Trial(Recipe(), EXACT, 70_000, value=0.9, accuracy=0.9, total=5000)


@pytest.mark.slow
def test_a_smaller_network_is_named_with_what_its_file_measures(lenet5):
    goal = Goal.of(lenet5, None, 0.896, None)
    sentence = other_network(lenet5, goal, BEST).sentence(goal)
    other = measure_trial(wb.model("fashion/cnn-10k"), Job(Recipe(Quantize(8))))
    assert other.accuracy >= 0.896
    assert "fashion/cnn-10k with 8 bits" in sentence
    assert formatting.nbytes(other.bytes) in sentence
    assert formatting.percent(other.value) in sentence


def test_it_is_said_what_is_better_and_by_how_much(lenet5):
    def said(best, **limits):
        goal = Goal.of(lenet5, limits.get("max_bytes"), limits.get("min_accuracy"), None)
        other = other_network(lenet5, goal, best)
        return other, goal, other.sentence(goal)

    other, goal, text = said(BEST, min_accuracy=0.896)
    assert other.dominates(goal) == (other.trial.value >= BEST.value)
    less = 1 - other.trial.bytes / BEST.bytes
    assert f"{formatting.percent(less)} smaller" in text
    assert goal.metric.difference(other.trial.value, BEST.value) in text
    assert "smaller" in other.advantage(goal)
    equal = replace(BEST, bytes=10**6, value=other.trial.value, accuracy=other.trial.value)
    other, goal, text = said(equal, min_accuracy=0.896)
    assert other.advantage(goal) == "smaller"
    assert other.dominates(goal)
    assert not replace(other, than=replace(equal, value=equal.value + 0.01)).dominates(goal)
    assert not replace(other, than=replace(equal, bytes=other.trial.bytes)).dominates(goal)
    assert "±" in text
    assert "better" not in text
    poor = replace(BEST, value=0.5, accuracy=0.5)
    other, goal, text = said(poor, min_accuracy=0.896)
    assert other.advantage(goal) == "meets the limits"
    other, goal, text = said(replace(BEST, bytes=100, value=0.5, accuracy=0.5), max_bytes=90_000)
    assert other.advantage(goal) == "better accuracy"
    assert "larger" in text


def test_what_to_expect_of_it_on_test_is_from_its_own_results(lenet5):
    goal = Goal.of(lenet5, None, 0.896, None)
    other = other_network(lenet5, goal, BEST)
    low, high = other.on_test(goal)
    network = wb.model(other.name)
    lost = network.accuracy("validation") - network.accuracy("test")
    assert other.lost_on_test == lost != goal.lost_on_test
    assert low < other.trial.value - lost < high


@pytest.mark.parametrize(
    ("limits", "size"),
    [((None, 0.896, None), 9_000), ((None, 0.99, None), 70_000), ((None, None, 5.0), 70_000)],
)
def test_nothing_is_said_without_a_better_one(lenet5, limits, size):
    goal = Goal.of(lenet5, *limits)
    assert other_network(lenet5, goal, replace(BEST, bytes=size, value=0.92, accuracy=0.92)) is None


@pytest.mark.slow
def test_each_answer_of_a_search_names_the_other_network(tiny, monkeypatch, processor_time):
    monkeypatch.setattr("workbench.study.limited_search.PATIENCE", 8)  # not the time ends it
    monkeypatch.setattr("workbench.study.limited_search.MIN_TUNING_SECONDS", 1000)
    limits = {"max_bytes": 9_000, "min_accuracy": 0.875}
    answers = []
    last = wb.optimize(tiny, **limits, seconds=100, on_update=answers.append)
    assert len(answers) > 1
    for answer in (*answers, last):
        known = answer.other
        best = answer.choices[0] if answer.choices else None
        assert known == other_network(tiny, answer.goal, best)
        assert known is not None
        assert known.sentence(answer.goal) in answer.reasons


def test_other_tasks_are_not_compared():
    bag = wb.model("reviews/bag")
    found = other_network(bag, Goal.of(bag, None, 0.7, None), None)
    assert found is None or found.name.startswith("reviews/")


def test_distilled_students_are_networks_too(tiny):
    known = [(name, trial.bytes, trial.value) for name, trial in _known(tiny)]
    assert {(s.name, s.card.bytes, s.card.value) for s in students()} <= set(known)
    assert tiny.name not in {name for name, _size, _value in known}


def test_a_loss_of_the_original_on_test_is_said(tiny, lenet5):
    goal = Goal.of(tiny, None, 0.8, None)
    lost = tiny.accuracy("validation") - tiny.accuracy("test")
    said = " ".join(on_new_data(BEST, goal, tiny.name))
    assert lost > 0.003
    assert f"loses {formatting.points(lost).lstrip('+')} from validation to test" in said
    assert "loses" not in " ".join(on_new_data(BEST, replace(goal, lost_on_test=0.002), tiny.name))
