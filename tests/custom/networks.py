"""Networks of named layers, for tests of adjustments."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

import workbench as wb


class Net(nn.Module):
    """Layers by name, and a function of them and the inputs."""

    def __init__(self, run, **layers):
        super().__init__()
        for name, layer in layers.items():
            setattr(self, name, layer)
        self.run = run

    def forward(self, x):
        return self.run(self, x)


def norm(**settings):
    return nn.BatchNorm2d(4, **settings)


def ended(m, h):
    return m.fc(functional.relu(h).mean((-1, -2)))


def make_model(module, inputs, kind):
    labels = torch.arange(len(inputs)) % 3
    data = dict.fromkeys(("train", "validation", "test"), (inputs, labels))
    return wb.from_module(module, **data, name=kind.replace(" ", "-").replace(",", ""))
