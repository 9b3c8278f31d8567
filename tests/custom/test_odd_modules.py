"""Unusual modules: tied, bare, with several inputs, parametrized, half precision."""

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
from tests.raises import raises

ADJUSTED = (
    wb.Recipe(quantize=wb.Quantize(8), activations=wb.Activations(8)),
    wb.Recipe(adjust=wb.Adjust("fold", biases="correct", equalize="pairs")),
    wb.Recipe(structure=wb.Structure(0.3), adjust=wb.Adjust("recalibrate")),
)


CHANGED = {"weights": "module.changed", "data": "data.changed"}


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
    rng = torch.Generator().manual_seed(3)
    return torch.randn(40, 6, generator=rng), torch.randint(0, 3, (40,), generator=rng)


def everywhere(data):
    return dict.fromkeys(("train", "validation", "test"), data)


def make_model(kind):
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


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ADJUSTED)
@pytest.mark.parametrize("kind", ["tied", "named", "bare", "half", "parametrized"])
def test_the_report_describes_the_file(kind, recipe):
    model = make_model(kind)
    report = wb.measure(model, recipe, timed=False)
    artifact = wb.compress(model, recipe)
    again = wb.evaluate(artifact, timed=False)
    assert (len(artifact), again.value) == (report.bytes, report.value)
    rebuilt = wb.to_module(artifact)
    assert sum(p.numel() for p in rebuilt.parameters()) == report.parameters


def test_a_reason_says_that_no_inputs_can_be_quantized():
    report = wb.measure(make_model("bare"), wb.Recipe(activations=wb.Activations(8)), timed=False)
    assert "no_inputs" in [reason.kind for reason in report.reasons]


def test_tied_weights_stay_tied_after_training_from_scratch_and_dropout():
    model = make_model("tied")
    wb.train(model, steps=2, start="scratch")
    artifact = wb.train(model, steps=2, dropout=0.2, average=0.9)
    module = wb.to_module(artifact)
    assert module.emb.weight is module.out.weight


def test_float64_is_refused():
    inputs, labels = points()
    with raises("module.float64_weights", "module.float()"):
        wb.from_module(
            nn.Linear(6, 3).double(), **everywhere((inputs.double(), labels)), name="wide"
        )


def test_an_anonymous_metric_is_called_custom():
    data = everywhere(points())
    model = wb.from_module(
        nn.Linear(6, 3), **data, name="nameless", metric=lambda outputs, targets: 0.5
    )
    assert model.task.metric.name == "custom metric"


def loader(numbers):
    return DataLoader(TensorDataset(*points()), 8, sampler=SubsetRandomSampler(numbers))


def test_a_loader_gives_the_examples_of_its_sampler():
    parts = {"train": range(20), "validation": range(20, 32), "test": range(32, 40)}
    module = nn.Linear(6, 3)
    inputs, labels = points()
    model = wb.from_module(
        module, **{n: loader(list(rows)) for n, rows in parts.items()}, name="sampled"
    )
    same = {n: (inputs[list(rows)], labels[list(rows)]) for n, rows in parts.items()}
    other = wb.from_module(module, **same, name="indexed")
    for name, rows in parts.items():
        assert len(model.task.split(name)) == len(rows)
        assert list(model.task.split(name).labels) == list(other.task.split(name).labels)
    assert model.card["accuracy"] == other.card["accuracy"]
    sampler = WeightedRandomSampler([1.0] * 40, 100)
    data = DataLoader(TensorDataset(*points()), 8, sampler=sampler)
    model = wb.from_module(module, **everywhere(data), name="repeated")
    assert len(model.task.split("test")) == 100


@pytest.mark.parametrize(("changed", "code"), CHANGED.items())
def test_changed_weights_or_data_are_detected(changed, code):
    inputs, labels = points()
    module = nn.Linear(6, 3)
    model = wb.from_module(module, **everywhere((inputs, labels)), name="changed")
    wb.measure(model, timed=False)
    if changed == "weights":
        module.weight.data.mul_(-3)
    else:
        inputs.neg_()
    with raises(code):
        wb.measure(model, wb.Recipe(quantize=wb.Quantize(4)), timed=False)
