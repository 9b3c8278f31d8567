from __future__ import annotations

from itertools import count

import pytest
import torch

import workbench as wb
from workbench.errors import Cancelled
from workbench.profiling import resources
from workbench.profiling.resources import (
    compare_latency,
    latency,
    layer_profiles,
    macs,
    peak_memory,
)

WORK = {
    # A weight of a linear layer multiplies once, one of a convolution once at each place.
    "fashion/lenet-300-100": 784 * 300 + 300 * 100 + 100 * 10,
    "fashion/lenet5": 24 * 24 * 20 * 25 + 8 * 8 * 50 * 20 * 25 + 800 * 500 + 500 * 10,
}


@pytest.mark.parametrize("name", wb.models())
def test_multiply_adds(name):
    model = wb.model(name)
    found = macs(model, model.weights())
    assert found == WORK.get(name, found) == model.card["macs"]


def test_multiply_adds_of_lenet5_as_published(lenet5):
    assert macs(lenet5, lenet5.weights()) == 2_293_000


@pytest.mark.parametrize("name", wb.models())
def test_layers_share_the_multiply_adds(name):
    model = wb.model(name)
    found = layer_profiles(model, model.weights())
    assert found == model.card["layers"]
    assert tuple(found) == model.layers
    # what multiplies beside weights, as places in attention do, belongs to no layer
    assert sum(one["macs"] for one in found.values()) <= model.card["macs"]


def test_layers_of_lenet5(lenet5):
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


def test_peak_memory_of_a_known_network(small):
    weights = small.weights()
    whole = sum(w.numel() * 4 for w in weights.values())
    inputs = 64 * 784 * 4
    first, relu = 64 * 300 * 4, 64 * 300 * 4
    assert peak_memory(small, weights) == whole + inputs + first + relu


@pytest.mark.parametrize("name", wb.models())
def test_peak_memory_holds_weights_inputs_and_the_widest_layer(name):
    model = wb.model(name)
    weights = model.weights()
    whole = sum(w.numel() * w.element_size() for w in weights.values())
    activations = peak_memory(model, weights) - whole
    most = {"reviews/transformer": 30_000_000, "reviews-lm/gpt": 100_000_000}
    most["reviews-pieces/minilm-l6"] = 100_000_000
    assert 64 * 12 * 4 < activations < most.get(name, 20_000_000)
    if name == "fashion/lenet5":  # the first convolution's output and what is pooled from it
        assert activations >= 64 * (784 + 24 * 24 * 20 + 12 * 12 * 20) * 4


@pytest.mark.parametrize("name", ["fashion/resnet", "reviews/gru", "reviews-lm/gpt"])
def test_memory_is_the_same_whether_values_are_computed_or_not(monkeypatch, name):
    model = wb.model(name)
    found = []
    for much in (0, 10**15):
        monkeypatch.setattr(resources, "FAKE_TENSOR_MACS", much)
        found.append(peak_memory(model, model.weights()))
    assert found == [model.card["peak_memory"]] * 2


def test_a_module_that_looks_at_values_is_computed(monkeypatch):
    class Looks(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = torch.nn.Linear(4, 3)

        def forward(self, x):
            out = self.fc(x)
            return out * 2 if float(out.detach().sum()) > 1e9 else out

    monkeypatch.setattr(resources, "FAKE_TENSOR_MACS", 0)
    data = torch.randn(80, 4), torch.randint(0, 3, (80,))
    model = wb.from_module(Looks(), train=data, validation=data, test=data, name="looks")
    assert model.card["peak_memory"] >= 4 * (15 + 64 * 4 + 64 * 3)


def test_latency_names_what_it_timed(small, monkeypatch):
    clock = count(0, 0.01)  # each look at the clock is 10 ms after the one before
    monkeypatch.setattr(resources.time, "perf_counter", lambda: next(clock))
    found = latency(small, small.weights())
    assert found["threads"] == torch.get_num_threads()
    assert found["device"] == "cpu"
    for batch in (1, 64):
        timing = found[f"batch_{batch}"]
        assert set(timing) == {"median", "p10", "p90", "runs"}
        for figure in ("median", "p10", "p90"):
            assert timing[figure] == pytest.approx(10)
        assert timing["runs"] >= 5


def test_a_race_takes_turns(small, monkeypatch):
    ran = []
    monkeypatch.setattr(
        resources, "_timed", lambda model, weights, *rest: ran.append(weights["turn"]) or [1.0] * 5
    )
    found = compare_latency([(small, {"turn": "a"}), (small, {"turn": "b"})], rounds=3)
    assert ran == ["a", "a", "b", "b"] * 3  # two batch sizes each
    assert [timing["batch_64"]["runs"] for timing in found] == [15, 15]


def test_timing_can_be_stopped(small):
    with pytest.raises(Cancelled):
        latency(small, small.weights(), cancelled=lambda: True)
