"""Private networks to try things on; weights are drawn without disturbing anybody else's lot."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from workbench.domain.model import Architecture
from workbench.domain.user_architecture import UserArchitecture, deep_copy
from workbench.runtime.batch import HALF_DTYPES
from workbench.runtime.seeding import seeded


def initialize(architecture: Architecture, seed: int = 0) -> nn.Module:
    """Return a network whose weights are drawn with `seed`; the generator is left as it was."""
    with seeded(seed):
        return architecture.build()


def private_module(architecture: Architecture) -> nn.Module:
    """Return a network in eval mode that is nobody else's: a person's own with its own weights.

    Those are copies that gradients can be followed through, half precision widened to float32.
    """
    if not isinstance(architecture, UserArchitecture):
        return initialize(architecture).eval()
    held = architecture.module
    own: dict[int, Any] = {
        id(p): nn.Parameter(_wide(p.detach().clone()), p.is_floating_point())
        for p in held.parameters()
    }
    own |= {id(b): _wide(b.detach().clone()) for b in held.buffers()}
    return deep_copy(held, own).eval()


def _wide(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.dtype in HALF_DTYPES else tensor
