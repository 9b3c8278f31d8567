"""Modules that are not a plain row of layers: tied, bare, of several inputs, parametrised, half."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm
from torch.utils.data import (
    DataLoader,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)

import workbench as wb
from workbench.errors import WorkbenchError

ADJUSTED = (
    wb.Recipe(quantize=wb.Quantize(8), activations=wb.Activations(8)),
    wb.Recipe(adjust=wb.Adjust("fold", biases="correct", equalize="pairs")),
    wb.Recipe(structure=wb.Structure(0.3), adjust=wb.Adjust("recalibrate")),
)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(20, 8)
        self.fc = nn.Linear(8, 8)
        self.out = nn.Linear(8, 20, bias=False)
        self.out.weight = self.emb.weight

    def forward(self, x):
        return self.out(torch.relu(self.fc(self.emb(x))))


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 5)
        self.norm = nn.BatchNorm1d(5)
        self.out = nn.Linear(5, 3)

    def forward(self, left, right):
        return self.out(torch.relu(self.norm(self.fc(left + right))))


def words(seed):
    return tuple(torch.randint(0, 20, (40, 5), generator=torch.Generator().manual_seed(seed + n))
                 for n in range(2))  # fmt: skip


def points():
    lot = torch.Generator().manual_seed(3)
    return torch.randn(40, 6, generator=lot), torch.randint(0, 3, (40,), generator=lot)


def everywhere(data):
    return dict.fromkeys(("train", "validation", "test"), data)


def made(kind):
    torch.manual_seed(0)
    inputs, labels = points()
    if kind == "tied":
        return wb.from_module(Tied(), **everywhere(words(1)), name="odd")
    if kind == "named":
        data = {"left": inputs, "right": inputs.flip(0)}, labels
        return wb.from_module(Two(), **everywhere(data), name="odd")
    if kind == "bare":
        return wb.from_module(nn.Linear(6, 3), **everywhere((inputs, labels)), name="odd")
    if kind == "half":
        module = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)).bfloat16()
        return wb.from_module(module, **everywhere((inputs.bfloat16(), labels)), name="odd")
    module = nn.Sequential(weight_norm(nn.Linear(6, 5)), nn.ReLU(), nn.Linear(5, 3))
    return wb.from_module(module, **everywhere((inputs, labels)), name="odd")


@pytest.mark.parametrize("recipe", ADJUSTED)
@pytest.mark.parametrize("kind", ["tied", "named", "bare", "half", "parametrised"])
def test_what_is_measured_is_what_the_file_does(kind, recipe):
    model = made(kind)
    found = wb.measure(model, recipe, timed=False)
    artifact = wb.compress(model, recipe)
    again = wb.evaluate(artifact, timed=False)
    assert (len(artifact), again.value) == (found.bytes, found.value)
    rebuilt = wb.to_module(artifact)
    assert sum(p.numel() for p in rebuilt.parameters()) == found.parameters


def test_where_no_inputs_can_be_rounded_a_sentence_says_so():
    found = wb.measure(made("bare"), wb.Recipe(activations=wb.Activations(8)), timed=False)
    assert "no-inputs" in [reason.kind for reason in found.reasons]


def test_tied_weights_are_trained_from_scratch_dropped_out_and_rebuilt_as_one():
    model = made("tied")
    wb.train(model, steps=2, start="scratch")
    artifact = wb.train(model, steps=2, dropout=0.2, average=0.9)
    module = wb.to_module(artifact)
    assert module.emb.weight is module.out.weight


def test_float64_is_refused_in_a_sentence():
    inputs, labels = points()
    with pytest.raises(WorkbenchError, match=r"computes in float64.*module\.float\(\)"):
        wb.from_module(
            nn.Linear(6, 3).double(), **everywhere((inputs.double(), labels)), name="wide"
        )


def test_a_function_without_a_name_is_called_ones_own():
    data = everywhere(points())
    model = wb.from_module(
        nn.Linear(6, 3), **data, name="nameless", metric=lambda found, wanted: 0.5
    )
    assert model.task.metric.name == "own metric"


def loader(numbers):
    return DataLoader(TensorDataset(*points()), 8, sampler=SubsetRandomSampler(numbers))


def test_a_loader_gives_what_its_sampler_draws():
    parts = {"train": range(20), "validation": range(20, 32), "test": range(32, 40)}
    module = nn.Linear(6, 3)
    inputs, labels = points()
    model = wb.from_module(
        module, **{n: loader(list(some)) for n, some in parts.items()}, name="drawn"
    )
    same = {n: (inputs[list(some)], labels[list(some)]) for n, some in parts.items()}
    other = wb.from_module(module, **same, name="plain")
    for name, some in parts.items():
        assert len(model.task.split(name)) == len(some)
        assert list(model.task.split(name).labels) == list(other.task.split(name).labels)
    assert model.card["accuracy"] == other.card["accuracy"]
    often = WeightedRandomSampler([1.0] * 40, 100)
    data = DataLoader(TensorDataset(*points()), 8, sampler=often)
    assert len(wb.from_module(module, **everywhere(data), name="often").task.split("test")) == 100


@pytest.mark.parametrize("what", ["weights", "data"])
def test_what_was_changed_behind_its_back_is_not_measured(what):
    inputs, labels = points()
    module = nn.Linear(6, 3)
    model = wb.from_module(module, **everywhere((inputs, labels)), name="behind")
    wb.measure(model, timed=False)
    if what == "weights":
        module.weight.data.mul_(-3)
    else:
        inputs.neg_()
    with pytest.raises(WorkbenchError, match=r"changed since .* again"):
        wb.measure(model, wb.Recipe(quantize=wb.Quantize(4)), timed=False)
