from __future__ import annotations

import subprocess
import sys

import pytest

import workbench as wb
from workbench.cache.memory import MemoryCache
from workbench.cache.results import ResultCache
from workbench.calibration import statistics as calibration
from workbench.evaluation.cached_results import cached_report
from workbench.evaluation.measure import iter_reports, measure

RECIPE = '{"prune":{"sparsity":0.6},"quantize":{"bits":5}}'
ASK = """
import sys
from pathlib import Path
from workbench.evaluation.cached_results import known
from workbench.cache.results import Store
from workbench.recipe import Recipe
from workbench.zoo import model

_, name, recipe, folder = sys.argv
found = known(model(name), Recipe.from_json(recipe), "validation", Store(Path(folder)))
assert "torch" not in sys.modules
print(found.bytes, found.accuracy, found.exact, found.reasons[-1].text)
"""


def test_a_new_process_finds_the_result_without_torch(small, tmp_path):
    report = measure(small, wb.Recipe.from_json(RECIPE), timed=False, store=ResultCache(tmp_path))
    command = [sys.executable, "-c", ASK, small.name, RECIPE, str(tmp_path)]
    done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
    expected = f"{report.bytes} {report.accuracy} True {report.reasons[-1].text}\n"
    assert done.stdout == expected


def test_nothing_is_known_at_first(small, store):
    assert cached_report(small, wb.Recipe.from_json(RECIPE), "validation", store) is None


def test_the_size_alone_may_be_known(small, store):
    recipe = wb.Recipe.from_json(RECIPE)
    first = next(iter_reports(small, recipe, store=store))
    assert cached_report(small, recipe, "validation", store) == first
    exact = measure(small, recipe, timed=False, store=store)
    assert cached_report(small, recipe, "validation", store) == exact
    assert cached_report(small, recipe, "test", store) == first.__class__(
        exact.task, exact.model, recipe, "test", exact.size, None, exact.training_seconds
    )


def test_another_model_or_recipe_is_another_result(small, lenet5, store):
    recipe = wb.Recipe.from_json(RECIPE)
    measure(small, recipe, timed=False, store=store)
    assert cached_report(lenet5, recipe, "validation", store) is None
    assert cached_report(small, wb.Recipe(), "validation", store) is None


def test_what_needs_evidence_is_known_once_the_evidence_is(small, store, monkeypatch):
    recipe = wb.Recipe(prune=wb.Prune(0.5, criterion="gradient"))
    exact = measure(small, recipe, timed=False, store=store)
    assert cached_report(small, recipe, "validation", store) == exact
    monkeypatch.setattr(calibration, "_known", MemoryCache(9))
    assert cached_report(small, recipe, "validation", store) is None


@pytest.mark.parametrize("kind", ["size", "score"])
@pytest.mark.parametrize("value", [None, 3, [], {}, {"bytes": 3}, {"digest": "no", "ledger": 4}])
def test_values_that_make_no_sense_are_measured_anew(small, store, kind, value):
    recipe = wb.Recipe.from_json(RECIPE)
    exact = measure(small, recipe, timed=False, store=store)
    for key in list(store._memory):
        if key.startswith(kind):
            store.put(key, value)
    assert measure(small, recipe, timed=False, store=store) == exact
