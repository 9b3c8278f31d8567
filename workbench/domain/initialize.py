"""New networks with initial weights, made without changing the global random state."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from workbench.domain.model import Architecture
from workbench.domain.module_copy import deep_copy
from workbench.domain.user_architecture import UserArchitecture
from workbench.runtime.batch import HALF_DTYPES
from workbench.runtime.seeding import seeded


def initialize(architecture: Architecture, seed: int = 0) -> nn.Module:
    """Return a network with weights initialized from `seed`."""
    with seeded(seed):
        return architecture.build()


def private_module(architecture: Architecture) -> nn.Module:
    """Return a private network in eval mode that can be changed and differentiated.

    A user's module is copied with its weights, half precision converted to float32. A built-in
    network has initial weights.
    """
    if not isinstance(architecture, UserArchitecture):
        return initialize(architecture).eval()
    module = architecture.module
    copies: dict[int, Any] = {
        id(p): nn.Parameter(_to_float32(p.detach().clone()), p.is_floating_point())
        for p in module.parameters()
    }
    copies |= {id(b): _to_float32(b.detach().clone()) for b in module.buffers()}
    return deep_copy(module, copies).eval()


def _to_float32(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.dtype in HALF_DTYPES else tensor
