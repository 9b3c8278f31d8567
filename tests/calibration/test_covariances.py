"""Covariances of layer inputs: on how many examples they are computed."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import workbench as wb
from workbench.calibration import statistics

POSITIONS = 4
EXAMPLES = 300


class Pooled(nn.Module):
    """A layer for each position, and one for the mean of all."""

    def __init__(self):
        super().__init__()
        self.each = nn.Linear(5, 6)
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        return self.head(self.each(x).mean(1))


@pytest.fixture
def inputs():
    return torch.randn(EXAMPLES, POSITIONS, 5, generator=torch.Generator().manual_seed(0))


def covariances(module, inputs, labels):
    parts = {"train": (inputs, labels), "validation": (inputs, labels), "test": (inputs, labels)}
    return statistics.input_covariances(wb.from_module(module, **parts, name="positions"))


def expected(inputs):
    vectors = inputs.flatten(0, 1).double()
    return (vectors.T @ vectors / len(vectors)).float()


def test_enough_inputs_of_every_layer_end_the_pass(inputs, monkeypatch):
    monkeypatch.setattr(statistics, "ENOUGH_INPUTS", statistics.COVARIANCE_BATCH * POSITIONS)
    labels = torch.arange(EXAMPLES * POSITIONS).view(EXAMPLES, POSITIONS) % 3
    found = covariances(nn.Sequential(nn.Linear(5, 3)), inputs, labels)
    first = inputs[: statistics.COVARIANCE_BATCH]
    torch.testing.assert_close(found["0.weight"], expected(first))


def test_a_layer_with_fewer_inputs_continues_the_pass(inputs, monkeypatch):
    monkeypatch.setattr(statistics, "ENOUGH_INPUTS", statistics.COVARIANCE_BATCH * POSITIONS)
    found = covariances(Pooled(), inputs, torch.arange(EXAMPLES) % 3)
    torch.testing.assert_close(found["each.weight"], expected(inputs))
