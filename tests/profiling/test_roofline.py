"""The roofline: multiply-adds and bytes of layers, and what they wait for."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import workbench as wb
from tests.raises import raises
from workbench.plots import roofline as picture
from workbench.profiling.layer_work import layer_work
from workbench.profiling.peaks import Peaks
from workbench.profiling.roofline import Roofline, RooflineLayer

BATCH = 8


def test_work_of_layers_is_what_their_shapes_say():
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 5)).eval()
    work = layer_work(module, module.state_dict(), torch.ones(BATCH, 3, 8, 8), calls=2)
    outputs = BATCH * 8 * 36
    assert work["0"].macs == outputs * 3 * 9
    assert work["0"].bytes == 4 * (BATCH * 3 * 64 + 8 * 27 + 8 + outputs)
    assert (work["1"].macs, work["1"].bytes) == (0, 8 * outputs)
    assert work["3"].macs == outputs * 5
    assert all(layer.seconds > 0 for layer in work.values())


def test_work_inside_a_layer_counts_once():
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True).eval()
    layer.register_forward_pre_hook(lambda *_args: None)  # no fused kernel
    work = layer_work(layer, layer.state_dict(), torch.ones(BATCH, 4, 16), calls=1)
    products = 4 * 16 * 16 + 2 * 16 * 32  # weights of attention and of the two linear layers
    assert work["linear1"].macs == BATCH * 4 * 16 * 32
    assert sum(layer.macs for layer in work.values()) >= BATCH * 4 * products


@pytest.mark.slow
@pytest.mark.parametrize("compressed", [False, True])
def test_layers_of_a_model_add_up_to_its_card(compressed):
    model = wb.model("vowels/cnn")
    file = wb.compress(model, wb.Recipe(wb.Quantize(8))) if compressed else model
    result = wb.roofline(file, batch=BATCH)
    assert sum(layer.macs for layer in result.layers) == BATCH * model.card["macs"]
    assert [layer.memory for layer in result.layers] == [
        layer.intensity <= result.peaks.ridge for layer in result.layers
    ]
    for layer in result.layers:
        arithmetic = layer.macs / result.peaks.macs_per_second
        assert layer.least_seconds == max(arithmetic, layer.bytes / result.peaks.bytes_per_second)
    with raises("argument.not_a_count"):
        wb.roofline(model, batch=0)


def test_the_card_and_the_picture_name_what_layers_wait_for():
    layers = (
        RooflineLayer("conv", "Conv1d", 1000, 10, 1.0, 0.5, memory=False),
        RooflineLayer("fc", "Linear", 10, 100, 9.0, 0.5, memory=True),
        RooflineLayer("pool", "MaxPool1d", 0, 100, 9.0, 0.5, memory=True),
    )
    result = Roofline("m", 1, Peaks(2e9, 1e9, busy=True), layers)
    html = result._repr_mimebundle_()["text/html"]
    assert "2 of 3 layers" in html
    assert "Not in the picture, because without multiply-adds: pool." in html
    assert "fc" in html
    assert "can do more" in html
    roof, memory, arithmetic = picture.draw(result)["data"]
    assert roof["y"][1:] == [2.0, 2.0]
    assert roof["y"][0] == pytest.approx(roof["x"][0])  # a billion bytes per second
    assert (memory["x"], arithmetic["x"]) == ([0.1], [100.0])
    assert [row["waits_for"] for row in picture.rows(result)] == ["arithmetic", *["memory"] * 2]
