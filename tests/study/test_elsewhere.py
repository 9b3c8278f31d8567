"""The search goes on anywhere in the space when no small change is left."""

from __future__ import annotations

import sys
from itertools import islice

import pytest

import workbench as wb
from workbench.study.candidates import space_of
from workbench.study.expected_bytes import expected_bytes
from workbench.study.measurement import Job, measure_trial
from workbench.study.optimize import optimize
from workbench.study.samplers.directed import MAX_POSITIONS, directed, elsewhere
from workbench.study.samplers.space_filling import sobol_positions
from workbench.study.study import Study

sampler = sys.modules[directed.__module__]
pytestmark = pytest.mark.usefixtures("fresh")


@pytest.mark.slow
def test_recipes_from_anywhere_are_new_small_enough_and_possible(tiny):
    study = Study.of(tiny, space_of(tiny), sampler="directed", max_bytes=9_000)
    positions = sobol_positions(study.space, 0)
    first = list(elsewhere(tiny, study, [], positions))
    assert first
    for recipe in first:
        assert expected_bytes(tiny, recipe) <= 9_000
        assert measure_trial(tiny, Job(recipe, max_bytes=1)).state == "too_large"  # not "failed"
    trials = [measure_trial(tiny, Job(recipe)) for recipe in first[:3]]
    again = list(elsewhere(tiny, study, trials, sobol_positions(study.space, 0)))
    assert again == first[3:]
    assert next(positions) == next(islice(sobol_positions(study.space, 0), MAX_POSITIONS, None))


@pytest.mark.slow
def test_a_search_does_not_end_where_no_small_change_is_better(tiny, monkeypatch, processor_time):
    monkeypatch.setattr(sampler, "_changes", lambda *_, **__: ([], []))
    monkeypatch.setattr(sampler, "first_recipes", lambda _: [wb.Recipe(quantize=wb.Quantize(8))])
    result = optimize(tiny, max_bytes=30_000, min_accuracy=0.7, seconds=5)
    assert result.met
    eight = measure_trial(tiny, Job(wb.Recipe(quantize=wb.Quantize(8))))
    assert result.best.bytes < eight.bytes
    assert len(result.result.trials) > 8
