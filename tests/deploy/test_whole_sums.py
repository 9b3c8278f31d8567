"""Convolutions whose outputs are not quantized multiply integers in ONNX Runtime too."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import workbench as wb
from tests.deploy.test_sabotage import changed
from tests.raises import raises

onnx = pytest.importorskip("onnx")
numpy_helper = pytest.importorskip("onnx.numpy_helper")
pytest.importorskip("onnxruntime")


class Inverted(nn.Module):
    """Inverted residuals with activations that rounding cannot pass, and a gate."""

    def __init__(self):
        super().__init__()
        self.stem, self.first = nn.Conv2d(1, 16, 3, 2, 1), nn.Conv2d(16, 8, 1)
        self.wide, self.norm = nn.Conv2d(8, 24, 1, bias=False), nn.BatchNorm2d(24)
        self.deep = nn.Conv2d(24, 24, 3, padding=1, groups=24)
        self.gate, self.narrow, self.fc = nn.Conv2d(24, 24, 1), nn.Conv2d(24, 8, 1), nn.Linear(8, 4)

    def forward(self, images):
        values = self.first(nn.functional.hardswish(self.stem(images)))
        wide = nn.functional.silu(self.norm(self.wide(values)))
        wide = nn.functional.hardswish(self.deep(wide))
        gate = nn.functional.hardsigmoid(self.gate(wide.mean((2, 3), keepdim=True)))
        return self.fc((values + self.narrow(wide * gate)).mean((2, 3)))


class Sensors(nn.Module):
    """Convolutions of one dimension, one of them dilated and in groups."""

    def __init__(self):
        super().__init__()
        self.first, self.second = (
            nn.Conv1d(8, 16, 5, 2, 2),
            nn.Conv1d(16, 24, 3, dilation=2, groups=4),
        )
        self.last = nn.Conv1d(24, 4, 2)

    def forward(self, images):
        values = nn.functional.gelu(self.first(images.flatten(1, 2)))
        return self.last(nn.functional.pad(torch.tanh(self.second(values)), (2, 1))).mean(2)


def compressed(network, shape, activations, name):
    torch.manual_seed(0)
    examples = torch.randn(300, *shape)
    labels = torch.randint(0, 4, (300,))
    parts = {"train": slice(0, 100), "validation": slice(100, 200), "test": slice(200, None)}
    data = {name: (examples[part], labels[part]) for name, part in parts.items()}
    model = wb.from_module(network().eval(), **data, name=name)
    return wb.compress(model, wb.Recipe(wb.Quantize(8), activations, wb.Adjust("fold"))), examples


WHOLE = wb.Activations(8, biases="int32", sums="quantized")
CASES = [
    (Inverted, (1, 16, 16), WHOLE, 7),
    (Inverted, (1, 16, 16), wb.Activations(7, biases="int32", sums="quantized"), 7),
    (Inverted, (1, 16, 16), wb.Activations(8), 7),
    (Sensors, (1, 8, 32), WHOLE, 3),
    (Sensors, (1, 8, 32), wb.Activations(8, scheme="symmetric"), 3),
]


@pytest.mark.slow
@pytest.mark.parametrize("case", range(len(CASES)))
def test_every_layer_multiplies_integers(case):
    network, shape, activations, layers = CASES[case]
    file, examples = compressed(network, shape, activations, f"whole-sums-{case}")
    package = wb.export(file)
    assert package.manifest["layers"] == {"quantized": layers, "exported": layers}
    result = wb.confirm(package)
    assert result.confirmed
    assert result.equal >= 0.95 * result.predictions
    assert result.facts["integer_products"] == layers
    evaluator = pytest.importorskip("onnx.reference").ReferenceEvaluator(package.content)
    inputs = examples[100:116]
    with torch.no_grad():
        expected = wb.to_module(file).double()(inputs.double()).numpy()
    differences = np.abs(evaluator.run(None, {"input": inputs.numpy()})[0] - expected).max(1)
    assert np.mean(differences < 1e-4) >= 0.9


@pytest.fixture(scope="module")
def package():
    return wb.export(compressed(Inverted, (1, 16, 16), WHOLE, "whole-sums-changed")[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ending", "part"),
    [
        ("stem.unit", "scale of the weights of stem"),
        ("stem.weight.u", "weights of stem"),
        ("stem.weight.m", "zero point of the weights of stem"),
        ("stem.bias.w", "bias of stem"),
        ("stem.input.s", "scale of the inputs of stem"),
        ("stem.input.z", "zero point of the inputs of stem"),
    ],
)
def test_a_wrong_number_is_named(ending, part, package):
    def change(graph):
        tensor = next(tensor for tensor in graph.initializer if tensor.name == ending)
        array = np.asarray(numpy_helper.to_array(tensor))
        moved = (
            array * np.float32(1.01) if array.dtype == np.float32 else array + array.dtype.type(1)
        )
        tensor.CopyFrom(numpy_helper.from_array(np.asarray(moved), tensor.name))

    with raises("deploy.other_numbers") as caught:
        wb.confirm(changed(package, change))
    assert part in str(caught.value)
