"""Cached reports: keys, partial results, invalid values."""

from __future__ import annotations

import subprocess
import sys

import pytest

import workbench as wb
from workbench.cache.memory import MemoryCache
from workbench.cache.results import ResultCache
from workbench.calibration import statistics
from workbench.domain import Task
from workbench.evaluation.cached_results import cached_report, score_key, size_key
from workbench.evaluation.measure import iter_reports, measure

RECIPE = '{"prune":{"sparsity":0.6},"quantize":{"bits":5}}'
SCRIPT = """
import sys
from pathlib import Path
from workbench.evaluation.cached_results import cached_report
from workbench.cache.results import ResultCache
from workbench.recipe import Recipe
from workbench.zoo import model

_, name, recipe, folder = sys.argv
store = ResultCache(Path(folder))
report = cached_report(model(name), Recipe.from_json(recipe), "validation", store)
assert "torch" not in sys.modules
print(report.bytes, report.accuracy, report.exact, report.reasons[-1].text)
"""


def test_new_process_reads_cached_result_without_torch(small, tmp_path):
    report = measure(small, wb.Recipe.from_json(RECIPE), timed=False, store=ResultCache(tmp_path))
    command = [sys.executable, "-c", SCRIPT, small.name, RECIPE, str(tmp_path)]
    process = subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
    expected = f"{report.bytes} {report.accuracy} True {report.reasons[-1].text}\n"
    assert process.stdout == expected


def test_nothing_is_cached_initially(small, store):
    assert cached_report(small, wb.Recipe.from_json(RECIPE), "validation", store) is None


def test_size_may_be_cached_without_score(small, store):
    recipe = wb.Recipe.from_json(RECIPE)
    first = next(iter_reports(small, recipe, store=store))
    assert cached_report(small, recipe, "validation", store) == first
    exact = measure(small, recipe, timed=False, store=store)
    assert cached_report(small, recipe, "validation", store) == exact
    assert cached_report(small, recipe, "test", store) == first.__class__(
        exact.task, exact.model, recipe, "test", exact.size, None, exact.training_seconds
    )


def test_other_model_or_recipe_has_other_key(small, lenet5, store):
    recipe = wb.Recipe.from_json(RECIPE)
    measure(small, recipe, timed=False, store=store)
    assert cached_report(lenet5, recipe, "validation", store) is None
    assert cached_report(small, wb.Recipe(), "validation", store) is None


def test_report_is_cached_only_with_calibration_stats(small, store, monkeypatch):
    recipe = wb.Recipe(prune=wb.Prune(0.5, criterion="gradient"))
    exact = measure(small, recipe, timed=False, store=store)
    assert cached_report(small, recipe, "validation", store) == exact
    monkeypatch.setattr(statistics, "_cache", MemoryCache(9))
    assert cached_report(small, recipe, "validation", store) is None


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["size", "score"])
@pytest.mark.parametrize("value", [None, 3, [], {}, {"bytes": 3}, {"digest": "no", "ledger": 4}])
def test_invalid_cached_values_are_measured_again(small, store, kind, value):
    recipe = wb.Recipe.from_json(RECIPE)
    exact = measure(small, recipe, timed=False, store=store)
    stats = statistics.stats_digest(small, recipe)
    size, score = size_key(small, recipe, stats), score_key(small, exact.digest, "validation")
    store.put(size if kind == "size" else score, value)
    assert measure(small, recipe, timed=False, store=store) == exact


def test_the_key_of_a_score_includes_the_data(small, monkeypatch):
    before = score_key(small, "digest", "validation")
    monkeypatch.setattr(Task, "digest", lambda task, split: f"other {split}")
    assert score_key(small, "digest", "validation") != before
