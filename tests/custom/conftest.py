"""Small user modules and data."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import workbench as wb
from workbench.zoo import registry

EXAMPLES = 240


@pytest.fixture(autouse=True)
def empty_registry(monkeypatch, tmp_path):
    """Start each test without user models and cached results."""
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())
    monkeypatch.setenv("WORKBENCH_STORE", str(tmp_path / "store"))


@pytest.fixture
def points():
    """Random points in eight dimensions, in three linearly separable classes."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(EXAMPLES, 8, generator=generator)
    labels = (inputs @ torch.randn(8, 3, generator=generator)).argmax(1)
    return inputs, labels


@pytest.fixture
def make_splits():
    """Return a function that divides a pair of tensors into the three splits."""

    def split(inputs, labels):
        thirds = [slice(at, at + EXAMPLES // 3) for at in range(0, EXAMPLES, EXAMPLES // 3)]
        names = ("train", "validation", "test")
        return {n: (inputs[part], labels[part]) for n, part in zip(names, thirds, strict=True)}

    return split


@pytest.fixture
def small():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))


@pytest.fixture
def small_model(small, points, make_splits):
    return wb.from_module(small, **make_splits(*points), name="small")
