"""A control is absent exactly if it changes no file of the model."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

import workbench as wb
from workbench.domain.applicable import can_act, condition
from workbench.panels import controls
from workbench.recipe import Adjust, Recipe

BASE = Recipe(wb.Prune(0.5), wb.Quantize(4))
KEEP = Adjust("keep", biases="keep", equalize="never")
PROBES = {
    "structure.removed": replace(BASE, structure=wb.Structure(0.5)),
    "prune.sparsity": replace(BASE, prune=None),
    "factorize.keep": replace(BASE, prune=None, factorize=wb.Factorize(0.3, measure="bytes")),
    "share.clusters": replace(BASE, share=wb.Share(4)),
    "quantize.bits": replace(BASE, quantize=None),
    "activations.bits": replace(BASE, activations=wb.Activations(4)),
    "adjust.batch_norm": replace(BASE, adjust=replace(KEEP, batch_norm="recalibrate")),
    "adjust.biases": replace(BASE, adjust=replace(KEEP, biases="correct")),
    "adjust.equalize": replace(BASE, adjust=replace(KEEP, equalize="pairs")),
}
"""For each field, a recipe that differs from `BASE` in this field only."""


def content(model, recipe):
    artifact = wb.compress(model, recipe)
    return artifact.spec, artifact.operands()


def differs(first, second):
    if first[0] != second[0] or first[1].keys() != second[1].keys():
        return True
    return any(not torch.equal(first[1][name], second[1][name]) for name in first[1])


def inert(model):
    """Return the fields of `PROBES` that change nothing in a file of `model`."""
    base = content(model, BASE)
    return {field for field, recipe in PROBES.items() if not differs(content(model, recipe), base)}


def absent(model):
    """Return the fields of `PROBES` that the page does not show with `BASE`."""
    fields = {
        field["key"]: field for part in controls.describe(model, BASE) for field in part["fields"]
    }
    values = controls.values(BASE)
    return {
        key
        for key in PROBES
        if key not in fields
        or ((needs := condition(model, *key.split("."))) and values[needs[0]] not in needs[1])
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", wb.models())
def test_built_in_models(name):
    model = wb.model(name)
    assert absent(model) == inert(model)


class Net(nn.Module):
    def __init__(self, *, bias, norm, activation):
        super().__init__()
        self.first = nn.Linear(6, 12, bias=bias)
        self.norm = nn.BatchNorm1d(12) if norm else nn.Identity()
        self.activation = activation
        self.last = nn.Linear(12, 3, bias=bias)

    def forward(self, x):
        return self.last(self.activation(self.norm(self.first(x))))


class Bag(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.EmbeddingBag(20, 3)

    def forward(self, x):
        return self.table(x)


@pytest.fixture
def adapt():
    torch.manual_seed(0)
    labels = torch.arange(60) % 3

    def make(module, inputs):
        data = inputs, labels
        return wb.from_module(module, train=data, validation=data, test=data, name="mine")

    return make


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bias", "norm", "activation", "expected"),
    [
        (True, False, nn.ReLU(), {"adjust.batch_norm"}),
        (True, True, nn.ReLU(), {"adjust.equalize"}),  # until the norm is folded
        (False, False, nn.ReLU(), {"adjust.batch_norm", "adjust.biases"}),
        (True, False, nn.GELU(), {"adjust.batch_norm", "adjust.equalize"}),
    ],
)
def test_user_models(adapt, bias, norm, activation, expected):
    model = adapt(Net(bias=bias, norm=norm, activation=activation), torch.randn(60, 6))
    assert absent(model) == inert(model) == expected


@pytest.mark.slow
def test_a_model_without_linear_layers(adapt):
    model = adapt(Bag(), torch.randint(20, (60, 4)))
    missing = {"structure.removed", "activations.bits", *(f for f in PROBES if "adjust" in f)}
    assert absent(model) == inert(model) == missing


class Volume(nn.Module):
    def __init__(self, layer, *axes):
        super().__init__()
        self.layer, self.axes = layer, axes

    def forward(self, x):
        return self.layer(x.view(-1, 2, 3, *self.axes)).flatten(2).mean(2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "module",
    [
        Volume(nn.ConvTranspose1d(2, 3, 2)),
        Volume(nn.ConvTranspose2d(2, 3, 2), 1),
        Volume(nn.ConvTranspose3d(2, 3, 2), 1, 1),
        Volume(nn.Conv3d(2, 3, (2, 1, 1)), 1, 1),
    ],
    ids=lambda module: type(module.layer).__name__,
)
def test_biases_of_volumes_and_transposed_convolutions_are_corrected(adapt, module):
    model = adapt(module, torch.randn(60, 6))
    corrected = replace(BASE, adjust=replace(KEEP, biases="correct"))
    assert differs(content(model, corrected), content(model, BASE))
    assert can_act(model, "adjust", "biases")


def test_equalization_waits_for_folded_norms():
    fields = {
        field["key"]: field
        for part in controls.describe(wb.model("fashion/resnet"), Recipe())
        for field in part["fields"]
    }
    assert fields["adjust.equalize"]["visible_if"] == ("adjust.batch_norm", ["fold"])
