"""Multiply-adds, peak memory and latency."""

from __future__ import annotations

from itertools import count

import pytest
import torch

import workbench as wb
from workbench.cancel import CancelToken
from workbench.errors import Cancelled
from workbench.profiling import resources
from workbench.profiling.resources import (
    compare_latency,
    latency,
    layer_profiles,
    macs,
    peak_memory,
)

MACS = {
    # A weight of a linear layer multiplies once, of a convolution once per position.
    "fashion/lenet-300-100": 784 * 300 + 300 * 100 + 100 * 10,
    "fashion/lenet5": 24 * 24 * 20 * 25 + 8 * 8 * 50 * 20 * 25 + 800 * 500 + 500 * 10,
}


@pytest.mark.parametrize("name", wb.models())
def test_macs_match_card(name):
    model = wb.model(name)
    result = macs(model, model.weights())
    assert result == MACS.get(name, result) == model.card["macs"]


def test_macs_of_lenet5_as_published(lenet5):
    assert macs(lenet5, lenet5.weights()) == 2_293_000


@pytest.mark.slow
@pytest.mark.parametrize("name", wb.models())
def test_layer_macs_sum_to_at_most_the_total(name):
    model = wb.model(name)
    result = layer_profiles(model, model.weights())
    assert result == model.card["layers"]
    assert tuple(result) == model.layers
    # products without weights, as in attention, belong to no layer
    assert sum(profile["macs"] for profile in result.values()) <= model.card["macs"]


def test_layer_profiles_of_lenet5(lenet5):
    assert layer_profiles(lenet5, lenet5.weights()) == {
        "conv1.weight": {
            "kind": "convolution",
            "macs": 24 * 24 * 20 * 25,
            "coupled": ["conv1.weight"],
        },
        "conv2.weight": {
            "kind": "convolution",
            "macs": 8 * 8 * 50 * 20 * 25,
            "coupled": ["conv2.weight"],
        },
        "fc1.weight": {"kind": "linear", "macs": 800 * 500, "coupled": ["fc1.weight"]},
        "fc2.weight": {"kind": "linear", "macs": 500 * 10, "coupled": []},
    }


def test_peak_memory_by_hand(small):
    weights = small.weights()
    weight_bytes = sum(w.numel() * 4 for w in weights.values())
    inputs = 64 * 784 * 4
    first, relu = 64 * 300 * 4, 64 * 300 * 4
    assert peak_memory(small, weights) == weight_bytes + inputs + first + relu


@pytest.mark.parametrize("name", wb.models())
def test_peak_memory_includes_weights_inputs_and_activations(name):
    model = wb.model(name)
    weights = model.weights()
    weight_bytes = sum(w.numel() * w.element_size() for w in weights.values())
    activations = peak_memory(model, weights) - weight_bytes
    limits = {"reviews/transformer": 30_000_000, "reviews-lm/gpt": 100_000_000}
    limits["reviews-pieces/minilm-l6"] = 100_000_000
    assert 64 * 12 * 4 < activations < limits.get(name, 20_000_000)
    if name == "fashion/lenet5":  # input, output of the first convolution, and pooled output
        assert activations >= 64 * (784 + 24 * 24 * 20 + 12 * 12 * 20) * 4


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fashion/resnet", "reviews/gru", "reviews-lm/gpt"])
def test_peak_memory_is_the_same_on_fake_tensors(monkeypatch, name):
    model = wb.model(name)
    result = []
    for threshold in (0, 10**15):
        monkeypatch.setattr(resources, "FAKE_TENSOR_MACS", threshold)
        result.append(peak_memory(model, model.weights()))
    assert result == [model.card["peak_memory"]] * 2


def test_module_that_depends_on_values_is_run_on_real_tensors(monkeypatch):
    class Branching(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = torch.nn.Linear(4, 3)

        def forward(self, x):
            out = self.fc(x)
            return out * 2 if float(out.detach().sum()) > 1e9 else out

    monkeypatch.setattr(resources, "FAKE_TENSOR_MACS", 0)
    data = torch.randn(80, 4), torch.randint(0, 3, (80,))
    model = wb.from_module(Branching(), train=data, validation=data, test=data, name="branching")
    assert model.card["peak_memory"] >= 4 * (15 + 64 * 4 + 64 * 3)


def test_latency_statistics(small, monkeypatch):
    clock = count(0, 0.01)  # each call returns 10 ms more
    monkeypatch.setattr(resources.time, "perf_counter", lambda: next(clock))
    result = latency(small, small.weights())
    assert result["threads"] == torch.get_num_threads()
    assert result["device"] == "cpu"
    for batch in (1, 64):
        timing = result[f"batch_{batch}"]
        assert set(timing) == {"median", "p10", "p90", "runs"}
        for figure in ("median", "p10", "p90"):
            assert timing[figure] == pytest.approx(10)
        assert timing["runs"] >= 5


def test_compare_latency_interleaves_models(small, monkeypatch):
    order = []
    monkeypatch.setattr(
        resources,
        "_timed",
        lambda model, weights, *rest: order.append(weights["turn"]) or [1.0] * 5,
    )
    result = compare_latency([(small, {"turn": "a"}), (small, {"turn": "b"})], rounds=3)
    assert order == ["a", "a", "b", "b"] * 3  # two batch sizes each
    assert [timing["batch_64"]["runs"] for timing in result] == [15, 15]


def test_runs_of_one_example_come_from_several_rounds(small, monkeypatch):
    rounds = []

    def timed(_model, _weights, batch, seconds, *_rest):
        rounds.append((batch, seconds))
        return [len(rounds), 9.0]

    monkeypatch.setattr(resources, "_timed", timed)
    monkeypatch.setattr(resources, "ROUNDS", 2)
    assert resources.runs_of_one(small, {}) == [1, 9.0, 2, 9.0]
    assert rounds == [(1, resources.SECONDS)] * 2


def test_latency_can_be_cancelled(small):
    with pytest.raises(Cancelled):
        latency(small, small.weights(), cancel=CancelToken(lambda: True))
