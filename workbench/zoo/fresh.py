"""Private networks to try things on; weights are drawn without disturbing anybody else's lot."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from workbench.zoo.brought import Brought, deep_copy
from workbench.zoo.builtin import Architecture
from workbench.zoo.seeding import seeded


def fresh(architecture: Architecture, seed: int = 0) -> nn.Module:
    """Return a network whose weights are drawn with `seed`; the generator is left as it was."""
    with seeded(seed):
        return architecture.build()


def subject(architecture: Architecture) -> nn.Module:
    """Return a network in eval mode that is nobody else's: a person's own with its own weights.

    Those are copies that gradients can be followed through, half precision widened to float32.
    """
    if not isinstance(architecture, Brought):
        return fresh(architecture).eval()
    held = architecture.held
    own: dict[int, Any] = {id(p): _copy(p) for p in held.parameters()}
    return deep_copy(held, own).eval()


def _copy(parameter: nn.Parameter) -> nn.Parameter:
    half = parameter.dtype in (torch.float16, torch.bfloat16)
    values = parameter.detach().clone()
    return nn.Parameter(values.float() if half else values, values.is_floating_point())
