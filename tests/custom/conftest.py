"""Small modules and data of a person's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import workbench as wb
from workbench.zoo import registry

EXAMPLES = 240


@pytest.fixture(autouse=True)
def forgotten(monkeypatch, tmp_path):
    """Nothing that a test brings is there for the next one."""
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())
    monkeypatch.setenv("WORKBENCH_STORE", str(tmp_path / "store"))


@pytest.fixture
def points():
    """Points on a plane of eight dimensions, in three classes that a linear layer tells apart."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(EXAMPLES, 8, generator=generator)
    labels = (inputs @ torch.randn(8, 3, generator=generator)).argmax(1)
    return inputs, labels


@pytest.fixture
def halves():
    """Turn a pair of tensors into the three splits."""

    def three(inputs, labels):
        thirds = [slice(at, at + EXAMPLES // 3) for at in range(0, EXAMPLES, EXAMPLES // 3)]
        names = ("train", "validation", "test")
        return {n: (inputs[part], labels[part]) for n, part in zip(names, thirds, strict=True)}

    return three


@pytest.fixture
def small():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))


@pytest.fixture
def brought(small, points, halves):
    return wb.from_module(small, **halves(*points), name="small")
