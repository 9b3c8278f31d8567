"""A small network in a file of its own, as a user has one, and the pool that tests share."""

from __future__ import annotations

import textwrap
from hashlib import sha256

import pytest
import torch

import workbench as wb
from workbench.parallel.pool import pool
from workbench.parallel.rank.network import module_of_file

SOURCE = """
    import torch
    from torch import nn


    class Gated(nn.Module):
        '''Two branches that meet, so that a pipeline must pass both on.'''

        def __init__(self):
            super().__init__()
            self.first = nn.Linear(6, 16)
            self.gate = nn.Linear(6, 16)
            self.middle = nn.Linear(16, 16)
            self.last = nn.Linear(16, 3)

        def forward(self, x):
            gate = self.gate(x).sigmoid()
            return self.last(self.middle(self.first(x).relu()) * gate)


    def make():
        return Gated()


    class Scaled(nn.Module):
        '''A scalar parameter, and a layer that is never called.'''

        def __init__(self):
            super().__init__()
            self.first, self.uncalled = nn.Linear(6, 8), nn.Linear(8, 2)
            self.scale = nn.Parameter(torch.tensor(1.5))
            self.last = nn.Linear(8, 3)

        def forward(self, x):
            return self.last(self.first(x).relu()) * self.scale


    def scaled():
        return Scaled()


    def broken():
        return None
"""


@pytest.fixture
def source(tmp_path):
    """Return the path of a Python file that defines a network."""
    path = tmp_path / "net.py"
    path.write_text(textwrap.dedent(SOURCE), encoding="utf-8")
    return path


@pytest.fixture
def gated(source):
    """Return a user's model whose code is in `source`."""
    return model_of_file(source)


@pytest.fixture
def gated_and_trained(source):
    """Return the same model after some steps of training."""

    def train(module):
        for _step in range(5):
            with torch.no_grad():
                for parameter in module.parameters():
                    parameter.mul_(1.1)

    return model_of_file(source, train)


@pytest.fixture
def scaled(source):
    """Return a model with a scalar parameter and a layer that is never called."""
    return model_of_file(source, function="scaled")


def model_of_file(source, change=lambda module: None, function="make"):
    """Return the model of a file after a change of its module."""
    torch.manual_seed(0)
    module = module_of_file(source, sha256(source.read_bytes()).hexdigest(), function)
    change(module)
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(96, 6, generator=generator)
    labels = torch.randint(0, 3, (96,), generator=generator)
    parts = {"train": slice(0, 64), "validation": slice(64, 80), "test": slice(80, None)}
    data = {name: (inputs[part], labels[part]) for name, part in parts.items()}
    return wb.from_module(module, **data, name="gated")


@pytest.fixture(scope="session", autouse=True)
def _end_pool():
    yield
    pool().close()
