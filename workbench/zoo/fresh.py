"""Networks with fresh weights, drawn without disturbing anybody else's lot."""

from __future__ import annotations

from threading import Lock

import torch
from torch import nn

from workbench.zoo.builtin import Architecture

_drawing = Lock()  # PyTorch has one generator for all threads


def fresh(architecture: Architecture, seed: int = 0) -> nn.Module:
    """Return a network whose weights are drawn with `seed`; the generator is left as it was."""
    with _drawing, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return architecture.build()
