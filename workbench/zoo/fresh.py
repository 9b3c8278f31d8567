"""Networks with fresh weights, drawn without disturbing anybody else's lot."""

from __future__ import annotations

from torch import nn

from workbench.zoo.builtin import Architecture
from workbench.zoo.seeding import seeded


def fresh(architecture: Architecture, seed: int = 0) -> nn.Module:
    """Return a network whose weights are drawn with `seed`; the generator is left as it was."""
    with seeded(seed):
        return architecture.build()
