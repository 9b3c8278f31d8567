"""Outputs of a file without quantized inputs lie where rounding moves them, or the package is not
confirmed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import workbench as wb
from workbench.deploy.confirm import Reference

FACTS = {"provider": "CPU", "version": "1"}
RECIPE = wb.Recipe(wb.Quantize(8))


class Deep(nn.Module):
    """Classes with clear leads, so that small faults change no prediction."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(16, 16) for _number in range(4))
        self.norms = nn.ModuleList(nn.LayerNorm(16) for _number in range(4))
        self.head = nn.Linear(16, 4)

    def forward(self, values):
        for layer, norm in zip(self.layers, self.norms, strict=True):
            values = values + torch.tanh(layer(norm(values)))
        return self.head(values)


class Cancelling(nn.Module):
    """Adds and subtracts a number that leaves float32 one digit after the point."""

    def __init__(self, outputs):
        super().__init__()
        self.first, self.second = nn.Linear(16, outputs), nn.Linear(16, outputs)

    def forward(self, values):
        return (self.first(values) + 1e5) - (self.second(values) + 1e5)


class InFloat32(Cancelling):
    """The same in float32 only."""

    def forward(self, values):
        return super().forward(values + torch.zeros(16, dtype=torch.float32)).float()


class Steps(nn.Module):
    """Rounds values that may lie in the middle between two steps."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(16, 16), nn.Linear(16, 4)

    def forward(self, values):
        return self.second(torch.round(self.first(values) * 8))


def registered(module, name):
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(900, 16, generator=generator)
    with torch.no_grad():
        outputs = module(inputs)
    numbers = outputs.shape[1] == 1
    if not numbers:  # those with a clear lead, which small faults do not change
        first, second = outputs.topk(2).values.unbind(1)
        inputs, outputs = (values[first - second > 0.1][:300] for values in (inputs, outputs))
    labels = outputs.float() if numbers else outputs.argmax(1)
    parts = {"train": slice(0, 60), "validation": slice(60, 240), "test": slice(240, None)}
    data = {part: (inputs[rows], labels[rows]) for part, rows in parts.items()}
    options = {"metric": "r2"} if numbers else {}
    model = wb.from_module(module.eval(), **data, name=name, **options)
    return wb.compress(model, RECIPE), inputs[60:240]


def agreement(file, inputs, change=lambda _module: None, target="torch"):
    """Return how the outputs of a changed module agree with those of its file."""
    module = wb.to_module(file)
    with torch.no_grad():
        change(module)
        outputs = module(inputs).float()
    return Reference(file, "validation").compare(wb.export(file, target), outputs, FACTS)


@pytest.fixture(scope="module")
def deep():
    torch.manual_seed(0)
    return registered(Deep(), "rounding-deep")


FAULTS = {
    "layers.2.weight": lambda tensor: tensor.mul_(1.01),
    "norms.0.weight": lambda tensor: tensor.mul_(1.01),
    "norms.3.bias": lambda tensor: tensor.add_(0.01),
    "head.bias": lambda tensor: tensor[0].add_(0.002),
    "head.weight": lambda tensor: tensor[1, 2].mul_(1.01),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_wrong_constant_that_changes_no_prediction_is_noticed(deep, name):
    def wrong(module):
        FAULTS[name](dict(module.named_parameters())[name])

    result = agreement(*deep, wrong)
    assert len(result.different) == 0
    assert 1e-4 < result.largest_difference < 0.1
    assert not result.confirmed
    assert result.beyond
    assert "do not use this package" in result.summary


def test_rounding_confirms(deep):
    generator = torch.Generator().manual_seed(1)

    def rounded(module):
        for tensor in module.parameters():
            tensor.mul_(1 + 2**-22 * (torch.rand(tensor.shape, generator=generator) - 0.5))

    result = agreement(*deep, rounded)
    assert result.confirmed
    assert result.equal == result.predictions


@pytest.mark.parametrize("kind", [Cancelling, InFloat32])
@pytest.mark.parametrize("outputs", [1, 4])
def test_outputs_that_float32_cannot_give_more_exactly_are_confirmed(kind, outputs):
    torch.manual_seed(1)
    file, inputs = registered(kind(outputs), f"rounding-{kind.__name__}-{outputs}")

    def reordered(module):
        def forward(values):
            return (module.first(values) + 6e4) - (module.second(values) + 6e4)

        module.forward = forward

    result = agreement(file, inputs, reordered)
    assert result.equal < result.predictions
    assert result.largest_difference > 1e-3
    assert not result.beyond
    assert result.confirmed
    wrong = agreement(file, inputs, lambda module: module.first.bias.add_(5))
    assert not wrong.confirmed


def test_steps_that_rounding_decides_are_confirmed():
    torch.manual_seed(2)
    module = Steps()
    with torch.no_grad():  # inputs are multiples of 1/2 after the first layer
        module.first.weight.copy_(torch.eye(16) / 16)
        module.first.bias.zero_()
    file, inputs = registered(module, "rounding-steps")
    result = agreement(file, inputs, lambda module: module.first.weight.mul_(1 + 2**-22))
    assert result.confirmed
    assert not agreement(file, inputs, lambda module: module.first.weight.mul_(1.01)).confirmed


def test_another_precision_than_float32_is_judged_by_its_predictions(deep):
    pytest.importorskip("openvino")
    target = wb.Target("openvino", "bfloat16")

    def halved(module):
        for tensor in module.parameters():
            tensor.copy_(tensor.bfloat16())

    result = agreement(*deep, halved, target)
    assert result.largest_difference > 1e-4
    assert not result.beyond
    assert result.confirmed == (not len(result.different))
    assert np.isfinite(result.score.value)
