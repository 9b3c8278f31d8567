"""Results that were known before a search: exact, at no cost, and said."""

from __future__ import annotations

import pytest

import workbench as wb
from workbench.recipe import Prune, Quantize, Recipe
from workbench.study import measurement
from workbench.study.candidates import narrowed_space, space_of
from workbench.study.known import known_trials
from workbench.study.measurement import Job, measure_trial
from workbench.study.optimize import optimize

pytestmark = pytest.mark.usefixtures("fresh", "processor_time")
ODD, NEW = Recipe(Prune(0.13), Quantize(7)), Recipe(Prune(0.17))


@pytest.fixture
def measured(tiny, monkeypatch):
    """Return the exact trial of a recipe that no search tries by itself; it is in the store."""
    store = measurement.default_result_cache()
    monkeypatch.setattr("workbench.study.known.default_result_cache", lambda: store)
    return measure_trial(tiny, Job(ODD))


def test_only_what_was_measured_on_all_examples_is_known(tiny, measured):
    (trial,) = known_trials(tiny, [ODD, NEW, ODD], space_of(tiny))
    assert (trial.bytes, trial.value, trial.file) == (measured.bytes, measured.value, measured.file)
    assert (trial.exact, trial.examples, trial.total) == (True, 0, measured.total)
    assert known_trials(wb.model("fashion/cnn-10k"), [ODD], space_of(tiny)) == []
    narrowed = narrowed_space(tiny, [("prune.sparsity", 10, 20)])
    assert len(known_trials(tiny, [ODD], narrowed)) == 1  # 0.13 is no value of the axis
    store = measurement.default_result_cache()
    assert measure_trial(tiny, Job(Recipe(Quantize(8))), store=store).exact
    few = narrowed_space(tiny, [("quantize.bits", 3, 6)])
    assert known_trials(tiny, [Recipe(Quantize(8))], few) == []


def test_a_search_begins_with_what_is_known(tiny, measured):
    updates = []
    result = optimize(tiny, max_bytes=20_000, seconds=1, known=[ODD, NEW], on_update=updates.append)
    trials = result.result
    assert (trials.known, trials.trials[0].recipe) == (1, ODD)
    assert trials.trials[0].value == measured.value
    assert all(update.result.trials[0].recipe == ODD for update in updates)
    assert any("1 result was known already" in text for text in result.reasons)
    tried = [trial for trial in trials.trials[1:] if trial.exact]
    assert any(f"{len(tried)} measured on all examples" in text for text in result.reasons)
    paid = sum(trial.examples for trial in trials.trials[1:])
    assert trials.examples >= paid
    assert trials.saved == 1 - trials.examples / ((len(trials.trials) - 1) * measured.total)


def test_a_known_result_can_be_the_best(tiny, measured):
    size, value = measured.bytes, measured.accuracy
    limits = {"max_bytes": size, "min_accuracy": value}
    result = optimize(tiny, **limits, seconds=0.01, known=[ODD])
    assert result.met
    assert result.best.bytes <= size


def test_a_file_above_the_limit_is_known_too(tiny, measured):
    result = optimize(tiny, max_bytes=measured.bytes - 1, seconds=0.2, known=[ODD])
    assert result.result.trials[0].recipe == ODD
    assert result.best.bytes < measured.bytes or not result.met
