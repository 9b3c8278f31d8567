"""Outputs of any scale: the predictions are those of the same network in NumPy's float64."""

import numpy as np
import pytest
import torch
from torch import nn

import workbench as wb

CLASSES = 4
EXAMPLES = 300


class Densities(nn.Module):
    """The density of each class: a Gaussian with a learned mean after a linear layer."""

    def __init__(self):
        super().__init__()
        self.means = nn.Parameter(torch.randn(CLASSES, 12))
        self.mix = nn.Linear(12, 12)

    def forward(self, x):
        distances = ((self.mix(x)[:, None] - self.means) ** 2).sum(-1)
        return torch.exp(-distances / 2) * (2 * torch.pi) ** -6


def densities(weights, inputs):
    mixed = inputs @ weights["mix.weight"].T + weights["mix.bias"]
    distances = ((mixed[:, None] - weights["means"]) ** 2).sum(-1)
    return -distances  # the logarithm has the same order, without underflow


def linear(weights, inputs):
    return inputs @ weights["weight"].T + weights["bias"]


def scaled(factor):
    layer = nn.Linear(12, CLASSES)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.mul_(factor)
    return layer


@pytest.mark.parametrize(
    ("build", "forward"),
    [
        (Densities, densities),
        *((lambda factor=factor: scaled(factor), linear) for factor in (1e-8, 1e-14, 1e-30, 1e20)),
    ],
    ids=["densities", "1e-8", "1e-14", "1e-30", "1e20"],
)
@pytest.mark.parametrize("recipe", [wb.Recipe(), wb.Recipe(wb.Quantize(8))], ids=["none", "8 bits"])
def test_the_accuracy_is_that_of_numpy(build, forward, recipe):
    module = build()
    inputs = torch.randn(EXAMPLES, 12)
    labels = torch.randint(CLASSES, (EXAMPLES,))
    parts = dict.fromkeys(("train", "validation", "test"), (inputs, labels))
    model = wb.from_module(module, **parts, name="small-outputs")
    weights = wb.compress(model, recipe).weights()
    wide = {name: weight.double().numpy() for name, weight in weights.items()}
    expected = forward(wide, inputs.double().numpy()).argmax(axis=1)
    report = wb.measure(model, recipe, timed=False)
    assert report.accuracy == np.mean(expected == labels.numpy())
    assert len(np.unique(expected)) > 1
