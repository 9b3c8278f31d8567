"""Sensitivity analysis: every point equals the measured report of its recipe."""

from __future__ import annotations

import pytest
import torch

import workbench as wb
from tests.raises import raises
from workbench.analysis import sensitivity as sensitivity_module
from workbench.analysis.sensitivity import SETTINGS, iter_sensitivity, sensitivity
from workbench.cache.results import ResultCache
from workbench.cancel import CancelToken
from workbench.errors import Cancelled, WorkbenchError
from workbench.evaluation.cached_results import cached_report
from workbench.recipe import Factorize, Prune, Quantize, Recipe, Share, Train

PARTS = (
    (Prune(), (0.5, 0.95)),
    (Prune(0.9, "curvature", exclude=["fc1.weight"]), (0.8,)),
    (Prune(0.3, scope="named", layers={"fc1.weight": 0.2}), (0.7,)),
    (Quantize(4, range="mse"), (8, 2)),
    (Share(16), (4,)),
    (Factorize(0.9, aim="outputs"), (0.8,)),
)


@pytest.fixture
def store():
    return ResultCache()


@pytest.mark.slow
@pytest.mark.parametrize(("part", "settings"), PARTS)
def test_points_equal_measured_reports(small, store, part, settings):
    result = sensitivity(small, part, settings, store=store)
    assert result.layers == small.layers
    assert result.completed == 1
    assert len(result.points) == len(small.layers) * len(settings)
    for point in result.points:
        report = wb.measure(small, point.recipe, timed=False, store=ResultCache())
        assert (point.bytes, point.value) == (report.bytes, report.value), point
        assert result[point.layer, point.setting] is point


def test_iterates_over_points(small, store):
    result = sensitivity(small, Quantize(), [3], store=store)
    assert list(result) == list(result.points)
    assert len(result) == len(small.layers)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fashion/lenet5", "fashion/cnn-10k"])
def test_points_of_convolutions(name, store, shortened):
    shortened(1500)
    model = wb.model(name)
    for point in sensitivity(model, Quantize(), [3], store=store).points:
        report = wb.measure(model, point.recipe, timed=False, store=ResultCache())
        assert (point.bytes, point.value) == (report.bytes, report.value), point


@pytest.mark.slow
@pytest.mark.parametrize(("part", "settings"), PARTS)
def test_point_changes_only_its_layer(small, part, settings):
    *_, result = iter_sensitivity(small, part, settings, store=ResultCache())
    originals = small.weights()
    for point in result.points:
        weights = wb.compress(small, point.recipe).weights()
        changed = [n for n, weight in weights.items() if not torch.equal(weight, originals[n])]
        assert changed == [point.layer]
    kind = type(part).__name__.lower()
    settings_kept = {"criterion", "range", "aim", "scope"}
    for name in settings_kept & vars(part).keys():
        assert getattr(getattr(point.recipe, kind), name) == getattr(part, name)


@pytest.mark.slow
def test_points_are_cached_and_shared_with_measure(small, store, monkeypatch):
    first = sensitivity(small, settings=[0.6], store=store)
    for point in first.points:
        assert cached_report(small, point.recipe, "validation", store).value == point.value
    recipe = Recipe(prune=Prune(0, layers={"fc2.weight": 0.6}))  # as set on the page
    assert first["fc2.weight", 0.6].recipe == recipe
    monkeypatch.setattr(sensitivity_module, "compress", None)
    monkeypatch.setattr(sensitivity_module, "LayerEvaluator", None)
    assert sensitivity(small, settings=[0.6], store=store) == first


@pytest.mark.slow
def test_results_grow_layer_by_layer(small, store):
    results = []
    result = sensitivity(small, Quantize(), store=store, on_report=results.append)
    assert result.settings == SETTINGS["quantize"]
    assert [len(partial.points) for partial in results] == [*range(len(result.points) + 1)]
    assert results[0].completed == 0
    assert results[0]["fc1.weight", 8] is None
    assert [point.layer for point in result.points[:7]] == ["fc1.weight"] * 7
    counted = small.card["accuracy"]["validation"]
    assert result.value == counted["correct"] / counted["examples"]


def test_cancel_keeps_cached_points(small, store):
    stop = []
    results = iter_sensitivity(small, store=store, cancel=CancelToken(lambda: bool(stop)))
    *_, last = (next(results) for _ in range(3))
    assert len(last.points) == 2
    stop.append(True)
    with pytest.raises(Cancelled):
        next(results)
    assert cached_report(small, last.points[-1].recipe, "validation", store).exact


@pytest.mark.parametrize(
    ("arguments", "code", "fact"),
    [
        ((Train(),), "recipe.not_a_layer_part", ""),
        (("prune",), "recipe.not_a_layer_part", ""),
        ((Prune(), [1.5]), "recipe.setting_out_of_range", r"1\.5: use 0 to 0\.99"),
        ((Quantize(), [9]), "recipe.setting_out_of_range", "9: use 2, 3"),
        ((Prune(), []), "recipe.no_settings", ""),
        ((Prune(), "half"), "argument.not_a_list_of_numbers", "Settings"),
    ],
)
def test_invalid_arguments_are_an_error_immediately(small, arguments, code, fact):
    with pytest.raises(WorkbenchError, match=fact or None) as caught:
        iter_sensitivity(small, *arguments)
    assert code in (None, caught.value.code)


def test_model_is_required():
    with raises("argument.not_a_model"):
        iter_sensitivity("fashion/lenet5")
