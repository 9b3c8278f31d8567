"""Values between two codes decide some predictions, of classes and of numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import workbench as wb
from tests.raises import raises
from workbench.deploy import moved
from workbench.deploy.confirm import Reference

TIED, BETWEEN = 10, 20.5
"""Examples whose input lies between two codes, and between which."""


def compressed(outputs, name, step=0.0):
    """Return a file of one layer, and its validation inputs; the first are `BETWEEN` steps."""
    inputs = torch.linspace(-1, 1, 120)[:, None]
    module = nn.Linear(1, outputs)
    with torch.no_grad():
        module.weight.copy_(torch.eye(outputs, 1))
        module.bias.copy_(torch.arange(outputs) * BETWEEN * step)  # classes change there
    labels = inputs if outputs == 1 else (inputs[:, 0] < 0.5).long()
    validation = torch.cat([torch.full((TIED, 1), BETWEEN * step), inputs[TIED:]])
    data = {"train": (inputs, labels), "validation": (validation, labels), "test": (inputs, labels)}
    options = {"metric": "r2"} if outputs == 1 else {}
    model = wb.from_module(nn.Sequential(module).eval(), **data, name=name, **options)
    return wb.compress(model, wb.Recipe(wb.Quantize(8), wb.Activations(8))), validation


def agreement(outputs, steps):
    """Return how outputs agree whose tied inputs are moved by some steps between two codes."""
    first, _inputs = compressed(outputs, f"ties-{outputs}")
    step = dict(first.spec.inputs)["0"].scale
    file, inputs = compressed(outputs, f"ties-{outputs}-{steps}", step)
    moved = inputs.clone()
    moved[:TIED] += steps * step
    reference = Reference(file, "validation")
    with torch.no_grad():
        returned = wb.to_module(file)(moved)
        own = wb.to_module(file)(inputs)
    facts = {"provider": "CPU", "version": "1"}
    return reference.compare(wb.export(file, "torch"), returned, facts), own, returned


@pytest.mark.slow
@pytest.mark.parametrize("outputs", [1, 2])
def test_a_value_between_two_codes_decides_and_others_do_not(outputs):
    results = [agreement(outputs, steps) for steps in (-1e-5, 1e-5)]
    changed = [set(np.flatnonzero((own != other).any(1))) for _result, own, other in results]
    assert set(range(TIED)) in changed  # one of them goes to the other code
    for (result, _own, _other), rows in zip(results, changed, strict=True):
        assert result.confirmed
        assert {*result.borderline.tolist()} == rows
        assert ("rounding decides" in result.summary) == bool(rows)
        assert len(result.rows()) == (len(rows) if outputs > 1 else 0)


@pytest.mark.parametrize("outputs", [1, 2])
def test_no_other_difference_is_decided_by_rounding(outputs):
    file, inputs = compressed(outputs, f"no-ties-{outputs}", 0.01)
    with torch.no_grad():
        own = wb.to_module(file)(inputs)
    returned = own.flip(0)
    differs = (own - returned).abs().amax(1) > 1e-4
    if outputs > 1:
        differs = own.argmax(1) != returned.argmax(1)
    assert differs.sum() > TIED
    facts = {"provider": "CPU", "version": "1"}
    result = Reference(file, "validation").compare(wb.export(file, "torch"), returned, facts)
    assert not len(result.borderline)
    assert result.different.tolist() == differs.nonzero().flatten().tolist()
    assert not result.confirmed


@pytest.mark.slow
def test_numbers_have_no_picture():
    results = [agreement(1, steps)[0] for steps in (-1e-5, 1e-5)]
    with raises("deploy.no_picture"):
        max(results, key=lambda result: len(result.borderline)).plot()


class Sensitive(nn.Module):
    """Normalized sums of quantized layers, where a value between two codes moves all outputs."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(16, 16) for _number in range(8))
        self.norms = nn.ModuleList(nn.LayerNorm(16) for _number in range(8))
        self.head = nn.Linear(16, 4)

    def forward(self, values):
        for layer, norm in zip(self.layers, self.norms, strict=True):
            values = values + 3 * torch.sin(layer(norm(values)))
        return self.head(values)


@pytest.fixture(scope="module")
def sensitive():
    """Return the file of a sensitive network, and its validation inputs."""
    torch.manual_seed(0)
    module, inputs = Sensitive().eval(), torch.randn(300, 16)
    with torch.no_grad():
        labels = module(inputs).argmax(1)
    parts = {"train": slice(0, 60), "validation": slice(60, 240), "test": slice(240, None)}
    data = {name: (inputs[part], labels[part]) for name, part in parts.items()}
    model = wb.from_module(module, **data, name="sensitive")
    recipe = wb.Recipe(wb.Quantize(8), wb.Activations(8, biases="int32"))
    return wb.compress(model, recipe), inputs[60:240]


def returned(file, inputs, change=lambda _module: None):
    """Return how the outputs of a changed module in float32 agree."""
    module = wb.to_module(file)
    with torch.no_grad():
        change(module)
        outputs = module(inputs)
    package = wb.export(file, "torch")
    return Reference(file, "validation").compare(package, outputs, {"provider": "CPU"})


@pytest.mark.slow
def test_rounding_explains_the_outputs_of_a_sensitive_network(sensitive):
    generator = torch.Generator().manual_seed(1)

    def moved(_layer, inputs):
        moves = torch.rand(inputs[0].shape, generator=generator) * 2 - 1
        return inputs[0] + 2**-18 * moves * inputs[0].abs().amax(1, keepdim=True)

    def rounded(module):
        for layer in module.layers:
            layer.register_forward_pre_hook(moved)

    result = returned(*sensitive, rounded)
    assert result.confirmed
    assert 0 < result.equal < result.predictions
    assert not result.beyond


@pytest.mark.slow
@pytest.mark.parametrize("name", ["norms.0.weight", "norms.4.bias", "layers.2.weight_scale"])
def test_a_constant_that_is_wrong_by_a_hundredth_is_found_in_a_sensitive_network(sensitive, name):
    def wrong(module):
        tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
        tensors[name].mul_(1.01).add_(0.01 if name.endswith("bias") else 0.0)

    result = returned(*sensitive, wrong)
    assert not result.confirmed
    assert result.beyond > result.tried / 8
    assert "do not use this package" in result.summary


def test_outputs_of_float32_are_those_of_the_file(sensitive, monkeypatch):
    """A constant between two codes goes to one in float32 and to the other in float64."""
    file, inputs = sensitive
    reference = Reference(file, "validation")
    outputs = reference._outputs.single
    other = torch.where(outputs > outputs.median(), outputs - 0.3, outputs + 0.3).double()
    reference._outputs = replace(reference._outputs, exact=other)
    monkeypatch.setattr(moved, "TRIES", 1)
    result = reference.compare(wb.export(file, "torch"), outputs, {"provider": "CPU"})
    assert result.confirmed
    assert result.equal == len(inputs)
    assert len(result.borderline)
    assert result.largest_difference == pytest.approx(0.3, abs=1e-6)
