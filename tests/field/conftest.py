"""Isolate the tests: no models in memory, one thread."""

from __future__ import annotations

import pytest
import torch

from workbench.zoo import registry


@pytest.fixture(autouse=True)
def empty_registry(monkeypatch):
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
