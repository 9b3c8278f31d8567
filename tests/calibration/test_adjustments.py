"""Adjustments before and after compression, on the built-in models."""

from __future__ import annotations

import pytest
import torch
from torch.func import functional_call

import workbench as wb
from workbench.calibration.batch_norm import recalibrated
from workbench.calibration.bias_correction import corrected_biases, mean_outputs
from workbench.calibration.equalized_pairs import equalizable_pairs
from workbench.calibration.observers import (
    OBSERVERS,
    ObservedInputs,
    fit_input_qparams,
    qparams_for_range,
    symmetric_qparams,
)
from workbench.calibration.structure import change_structure
from workbench.compression.stats import CalibrationStats
from workbench.graph.channel_groups import channel_groups
from workbench.pipeline import run_pipeline
from workbench.recipe import Activations, Adjust, Prune, Quantize, Recipe, Structure


@pytest.fixture(scope="module")
def resnet():
    return wb.model("fashion/resnet")


@pytest.fixture(scope="module")
def lenet5():
    return wb.model("fashion/lenet5")


def inputs_of(model, count=64):
    return model.task.inputs(model.task.split("train").examples[:count])


def outputs(model, weights, count=64):
    with torch.no_grad():
        return functional_call(
            model.module(), dict(weights), (inputs_of(model, count),), strict=True
        )


@pytest.mark.slow
def test_recalibration_hardly_changes_the_original(resnet):
    found = recalibrated(resnet, resnet.weights())
    statistics = [n for n in resnet.weights() if n.endswith(("running_mean", "running_var"))]
    assert sorted(found) == sorted(statistics)
    mean = resnet.weights()["bn.running_mean"]
    deviation = resnet.weights()["bn.running_var"].sqrt()
    assert float(((found["bn.running_mean"] - mean) / deviation).abs().max()) < 0.2
    again = recalibrated(resnet, resnet.weights())
    assert all(torch.equal(found[n], again[n]) for n in found)


def test_recalibrated_statistics_are_mean_and_variance_of_the_inputs(resnet):
    """Computed by definition for the first norm."""
    weights = {**resnet.weights(), "stem.weight": resnet.weights()["stem.weight"] * 3}
    found = recalibrated(resnet, weights)
    stem = torch.nn.functional.conv2d(
        inputs_of(resnet, 512), weights["stem.weight"], stride=2, padding=2
    )
    batches = stem.split(256)
    mean = torch.stack([part.mean(dim=(0, 2, 3)) for part in batches]).mean(dim=0)
    variance = torch.stack([part.var(dim=(0, 2, 3)) for part in batches]).mean(dim=0)
    torch.testing.assert_close(found["bn.running_mean"], mean, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found["bn.running_var"], variance, rtol=1e-3, atol=1e-5)
    assert torch.equal(weights["bn.running_mean"], resnet.weights()["bn.running_mean"])


@pytest.mark.slow
def test_recalibration_recovers_tens_of_points(resnet, shortened):
    shortened(1500)
    sparse = Recipe(prune=Prune(0.7, scope="uniform"))
    before = wb.measure(resnet, sparse, timed=False)
    after = wb.measure(
        resnet, Recipe(prune=sparse.prune, adjust=Adjust("recalibrate")), timed=False
    )
    assert after.accuracy > before.accuracy + 0.3


def test_corrected_biases_restore_the_mean_outputs(lenet5):
    rough = run_pipeline(lenet5, Recipe(quantize=Quantize(2))).tensors
    weights = {name: coded.tensor() for name, coded in rough.items()}
    targets = mean_outputs(lenet5, lenet5.weights())
    assert sorted(targets) == ["conv1.bias", "conv2.bias", "fc1.bias", "fc2.bias"]
    off = mean_outputs(lenet5, weights)
    better = weights | corrected_biases(lenet5, weights, targets)
    found = mean_outputs(lenet5, better)
    for name, mean in targets.items():
        assert float((off[name] - mean).abs().max()) > 1e-2
        torch.testing.assert_close(found[name], mean, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_all_pairs_of_lenet5_can_be_equalized_and_those_of_resnet_after_folding(lenet5, resnet):
    pairs = equalizable_pairs(lenet5, lenet5.weights(), channel_groups(lenet5.architecture))
    assert [group.producers for group in pairs] == [
        ("conv1.weight",),
        ("conv2.weight",),
        ("fc1.weight",),
    ]
    assert equalizable_pairs(resnet, resnet.weights(), channel_groups(resnet.architecture)) == ()
    same = change_structure(
        resnet, Recipe(adjust=Adjust("keep", equalize="pairs")), CalibrationStats()
    )
    assert all(torch.equal(same.weights[name], tensor) for name, tensor in resnet.weights().items())
    prepared = change_structure(resnet, Recipe(adjust=Adjust("fold")), CalibrationStats())
    folded = equalizable_pairs(
        resnet.with_spec(prepared.spec), prepared.weights, channel_groups(resnet.architecture)
    )
    assert [group.producers[0] for group in folded] == [
        "blocks.0.conv1.weight",
        "blocks.1.conv1.weight",
        "blocks.2.conv1.weight",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("adjust", [Adjust("fold"), Adjust("fold", equalize="pairs")])
@pytest.mark.parametrize("name", ["fashion/lenet5", "fashion/resnet"])
def test_folding_and_equalization_do_not_change_the_outputs(name, adjust):
    model = wb.model(name)
    prepared = change_structure(model, Recipe(adjust=adjust), CalibrationStats())
    shaped = model.with_spec(prepared.spec)
    assert all("bn" not in tensor for tensor in prepared.weights)
    torch.testing.assert_close(
        outputs(shaped, prepared.weights), outputs(model, model.weights()), rtol=1e-3, atol=1e-3
    )


def test_folding_works_with_channel_removal(resnet):
    recipe = Recipe(structure=Structure(0.5), adjust=Adjust("fold"))
    both = change_structure(resnet, recipe, CalibrationStats())
    narrow = change_structure(resnet, Recipe(structure=Structure(0.5)), CalibrationStats())
    torch.testing.assert_close(
        outputs(resnet.with_spec(both.spec), both.weights),
        outputs(resnet.with_spec(narrow.spec), narrow.weights),
        rtol=1e-3,
        atol=1e-3,
    )


def test_observed_ranges_contain_the_inputs(lenet5):
    images = inputs_of(lenet5, 256)
    qparams = fit_input_qparams(lenet5, lenet5.weights(), Activations(8))
    assert sorted(qparams) == ["conv1", "conv2", "fc1", "fc2"]
    first = qparams["conv1"]
    low, high = (first.scale * (code - first.zero_point) for code in (0, 255))
    assert low == pytest.approx(float(images.min()), abs=first.scale)
    assert high == pytest.approx(float(images.max()), abs=first.scale)
    assert qparams["fc2"].zero_point == 0  # after a ReLU
    without_fc1 = fit_input_qparams(
        lenet5, lenet5.weights(), Activations(8, exclude=("fc1.weight",))
    )
    assert sorted(without_fc1) == ["conv1", "conv2", "fc2"]


def test_the_percentile_observer_clips_its_percentage():
    inputs = torch.cat([torch.linspace(0, 1, 999), torch.tensor([100.0])])
    low, high = OBSERVERS["percentile"](ObservedInputs.of(inputs), Activations(8, percentile=99.9))
    assert low == 0
    assert 1 <= high < 1.1
    low, high = OBSERVERS["percentile"](ObservedInputs.of(inputs), Activations(8, percentile=100.0))
    assert high == pytest.approx(100)
    low, high = OBSERVERS["percentile"](ObservedInputs.of(-inputs), Activations(8, percentile=99.8))
    assert -1.1 < low <= -1
    assert high == 0


def test_the_histogram_observer_minimizes_the_error():
    inputs = torch.randn(20000, generator=torch.Generator().manual_seed(0)).clamp(-4, 4)
    inputs[0] = 40.0
    settings = Activations(4, observer="histogram")
    observed = ObservedInputs.of(inputs)

    def error(low, high):
        q = qparams_for_range(low, high, 4)
        codes = (inputs / q.scale).round().add(q.zero_point).clamp(0, q.top)
        return float(((codes - q.zero_point) * q.scale - inputs).square().sum())

    best = error(*OBSERVERS["histogram"](observed, settings))
    assert best < 0.2 * error(observed.low, observed.high)
    assert best <= 1.02 * min(
        error(observed.low * f, observed.high * f) for f in (0.05, 0.1, 0.2, 0.5, 1)
    )


def test_zero_inputs_have_a_valid_range():
    observed = ObservedInputs.of(torch.zeros(10))
    for name, observer in OBSERVERS.items():
        low, high = observer(observed, Activations(8, observer=name))
        assert qparams_for_range(low, high, 8).scale > 0


@pytest.mark.parametrize(("bits", "bound"), [(8, 127), (4, 7), (2, 1)])
def test_symmetric_codes_reach_both_bounds(bits, bound):
    qparams = symmetric_qparams(bound / 2, bits)
    assert (qparams.scale, qparams.zero_point) == (0.5, bound + 1)
