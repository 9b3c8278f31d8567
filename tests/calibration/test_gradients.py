"""Modules that do not compute gradients in eval mode, with criteria that need them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import workbench as wb
from tests.raises import raises

PRUNED = wb.Recipe(wb.Prune(0.5, criterion="gradient"))
NARROWED = wb.Recipe(structure=wb.Structure(0.5, criterion="gradient"))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(4, 16), nn.Linear(16, 2)

    def forward(self, inputs):
        return self.last(self.first(inputs).relu())


class TrainsInTrainMode(Network):
    """Refuses gradients in eval mode, as Reformer of transformers does."""

    def forward(self, inputs):
        if torch.is_grad_enabled() and not self.training:
            raise AssertionError("If you want to train, use `model.train()`.")
        return super().forward(inputs)


class Detached(Network):
    def forward(self, inputs):
        return super().forward(inputs).detach()


def model_of(module):
    data = torch.rand(120, 4), torch.arange(120) % 2
    return wb.from_module(module, train=data, validation=data, test=data, name="network")


@pytest.mark.parametrize("recipe", [PRUNED, NARROWED])
@pytest.mark.parametrize(
    ("module", "reason"), [(TrainsInTrainMode, "model.train()"), (Detached, "require grad")]
)
def test_a_module_without_gradients_in_eval_mode(module, reason, recipe):
    model = model_of(module())
    with raises("module.no_gradients", reason, "criterion", "magnitude"):
        wb.compress(model, recipe)


@pytest.mark.parametrize("criterion", ["magnitude", "curvature"])
def test_the_advice_helps(criterion):
    artifact = wb.compress(
        model_of(TrainsInTrainMode()), wb.Recipe(wb.Prune(0.5, criterion=criterion))
    )
    assert int((artifact.weights()["first.weight"] == 0).sum()) > 0


def test_what_also_fails_without_gradients_is_another_error(monkeypatch):
    def fails(task, outputs, labels):
        raise ValueError("too large")

    model = model_of(Network())
    monkeypatch.setattr(type(model.task), "loss", fails)
    with raises("module.failed", "train data", "too large"):
        wb.compress(model, PRUNED)
