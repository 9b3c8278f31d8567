"""The table of preset results is true, and is not used for anything that has changed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

import workbench as wb
from workbench.cache.results import ResultCache
from workbench.cancel import NEVER
from workbench.checkpoints.presets import measure_preset
from workbench.evaluation.preset_results import measure_presets, preset_results
from workbench.plots.scales import WORST
from workbench.recipe.presets import PRESETS
from workbench.zoo.tables import ARCHITECTURES


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_preset_of_every_model_is_in_the_table(name):
    assert list(preset_results(wb.model(name), ResultCache())) == [
        preset.name for preset in PRESETS
    ]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_preset_is_worth_a_try_on_every_model(name):
    model = wb.model(name)
    metric, original = model.task.metric, model.metric_value("validation")
    worst = 0.7 * original if metric.is_fraction else WORST * original
    for _size, value in preset_results(model, ResultCache()).values():
        assert metric.better(value, worst)
    sizes = [size for size, _value in preset_results(model, ResultCache()).values()]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
@pytest.mark.parametrize("name", ["fashion/lenet5", "vowels/cnn"])
def test_the_table_holds_what_is_measured(name, preset):
    model = wb.model(name)
    measured = measure_preset(model, preset)
    assert preset_results(model, ResultCache())[preset.name] == (
        measured["bytes"],
        measured["value"],
    )


def test_a_changed_model_has_no_results():
    model = wb.model("fashion/lenet5")
    assert (
        preset_results(replace(model, card={**model.card, "sha256": "0" * 64}), ResultCache()) == {}
    )


def test_a_changed_preset_has_no_result(monkeypatch):
    changed = replace(PRESETS[0], recipe=wb.Recipe(quantize=wb.Quantize(bits=7)))
    monkeypatch.setattr("workbench.evaluation.preset_results.PRESETS", (changed, *PRESETS[1:]))
    assert PRESETS[0].name not in preset_results(wb.model("fashion/lenet5"), ResultCache())


@pytest.mark.slow
def test_the_presets_of_a_user_model_are_known_once_they_are_measured(linear):
    model, store = linear(), ResultCache()
    assert preset_results(model, store) == {}
    measure_presets(model, store, NEVER)
    reports = {preset.name: wb.measure(model, preset.recipe) for preset in PRESETS}
    assert preset_results(model, store) == {
        name: (report.size.bytes, report.score.value) for name, report in reports.items()
    }


def test_the_table_is_read_without_torch():
    code = (
        "import sys, workbench as wb\n"
        "from workbench.evaluation.preset_results import preset_results\n"
        "from workbench.cache.results import ResultCache\n"
        "assert len(preset_results(wb.model('fashion/lenet5'), ResultCache())) == 4\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
