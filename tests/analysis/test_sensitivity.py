"""Every point of a sensitivity is the real effect: that of the file, as measured elsewhere."""

from __future__ import annotations

import pytest
import torch

import workbench as wb
from workbench.analysis import sensitivity as scanning
from workbench.analysis.sensitivity import SETTINGS, iter_sensitivity, sensitivity
from workbench.cache.results import ResultCache
from workbench.errors import Cancelled, RecipeError, WorkbenchError
from workbench.evaluation.cached_results import cached_report
from workbench.recipe import Factorize, Prune, Quantize, Recipe, Share, Train

PARTS = (
    (Prune(), (0.5, 0.95)),
    (Prune(0.9, "curvature", exclude=["fc1.weight"]), (0.8,)),
    (Prune(0.3, scope="layer", layers={"fc1.weight": 0.2}), (0.7,)),
    (Quantize(4, range="mse"), (8, 2)),
    (Share(16), (4,)),
    (Factorize(0.9, aim="outputs"), (0.8,)),
)


@pytest.fixture
def store():
    return ResultCache()


@pytest.mark.parametrize(("part", "settings"), PARTS)
def test_points_are_what_measuring_says(small, store, part, settings):
    found = sensitivity(small, part, settings, store=store)
    assert found.layers == small.layers
    assert found.share == 1
    assert len(found.points) == len(small.layers) * len(settings)
    for point in found.points:
        report = wb.measure(small, point.recipe, timed=False, store=ResultCache())
        assert (point.bytes, point.value) == (report.bytes, report.value), point
        assert found[point.layer, point.setting] is point


def test_its_points_are_gone_through_one_by_one(small, store):
    found = sensitivity(small, Quantize(), [3], store=store)
    assert list(found) == list(found.points)
    assert len(found) == len(small.layers)


@pytest.mark.parametrize("name", ["fashion/lenet5", "fashion/cnn-10k"])
def test_points_of_convolutions_too(name, store):
    model = wb.model(name)
    for point in sensitivity(model, Quantize(), [3], store=store).points:
        report = wb.measure(model, point.recipe, timed=False, store=ResultCache())
        assert (point.bytes, point.value) == (report.bytes, report.value), point


@pytest.mark.parametrize(("part", "settings"), PARTS)
def test_a_point_touches_its_layer_alone(small, part, settings):
    *_, found = iter_sensitivity(small, part, settings, store=ResultCache())
    originals = small.weights()
    for point in found.points:
        weights = wb.compress(small, point.recipe).weights()
        changed = [name for name, one in weights.items() if not torch.equal(one, originals[name])]
        assert changed == [point.layer]
    kind = type(part).__name__.lower()
    rest = {"criterion", "range", "aim", "scope"}
    for name in rest & vars(part).keys():  # how it is done is as asked
        assert getattr(getattr(point.recipe, kind), name) == getattr(part, name)


def test_what_was_found_is_known_to_a_slider_and_never_measured_twice(small, store, monkeypatch):
    first = sensitivity(small, settings=[0.6], store=store)
    for point in first.points:
        assert cached_report(small, point.recipe, "validation", store).value == point.value
    alone = Recipe(prune=Prune(0, layers={"fc2.weight": 0.6}))  # as the page's controls say it
    assert first["fc2.weight", 0.6].recipe == alone
    monkeypatch.setattr(scanning, "compress", None)
    monkeypatch.setattr(scanning, "LayerEvaluator", None)
    assert sensitivity(small, settings=[0.6], store=store) == first


def test_it_comes_layer_by_layer_with_the_settings_of_the_part(small, store):
    seen = []
    found = sensitivity(small, Quantize(), store=store, on_report=seen.append)
    assert found.settings == SETTINGS["quantize"]
    assert [len(one.points) for one in seen] == [*range(len(found.points) + 1)]
    assert seen[0].share == 0
    assert seen[0]["fc1.weight", 8] is None
    assert [point.layer for point in found.points[:7]] == ["fc1.weight"] * 7
    counted = small.card["accuracy"]["validation"]
    assert found.value == counted["correct"] / counted["examples"]


def test_it_stops_when_nobody_waits_and_keeps_what_it_found(small, store):
    enough = []
    on_the_way = iter_sensitivity(small, store=store, cancelled=lambda: bool(enough))
    *_, last = (next(on_the_way) for _ in range(3))
    assert len(last.points) == 2
    enough.append(True)
    with pytest.raises(Cancelled):
        next(on_the_way)
    assert cached_report(small, last.points[-1].recipe, "validation", store).exact


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((Train(),), "Give a part of a recipe that knows layers"),
        (("prune",), "Give a part of a recipe that knows layers"),
        ((Prune(), [1.5]), "prune.layers must be a number"),
        ((Quantize(), [9]), "quantize.layers must be one of"),
        ((Prune(), []), "settings to try"),
        ((Prune(), "half"), "Settings must be a list of numbers"),
    ],
)
def test_what_cannot_be_is_said_at_once(small, arguments, said):
    with pytest.raises(RecipeError, match=said):
        iter_sensitivity(small, *arguments)


def test_a_model_is_needed():
    with pytest.raises(WorkbenchError, match="Give a model"):
        iter_sensitivity("fashion/lenet5")
