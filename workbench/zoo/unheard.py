"""Whether a group of channels is all that it seems: tried on the network, not assumed.

Removing a channel has to come to the same as letting nobody hear it. Where a network cuts its
channels into heads, gates the ones with the others or puts them out, too, it does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from workbench.compression.channels import Group

CLOSE = 1e-3
"""What outputs may differ by, as a share of the largest: sums in another order."""


@torch.no_grad()
def holds(module: nn.Module, group: Group, example: Any) -> bool:
    """Return whether `module` without the first channel of `group` does as if nobody heard it."""
    if group.channels == 1:  # it never goes
        return True
    tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}  # tied ones once
    others = torch.arange(1, group.channels)
    heard = torch.ones(group.channels)
    heard[0] = 0
    without, unheard = dict(tensors), dict(tensors)
    for member in group.members:
        if member.tensor not in tensors:
            return False
        without[member.tensor] = member.cut(without[member.tensor], others)
        if member.role == "takes":
            unheard[member.tensor] = member.times(unheard[member.tensor], heard)
    expected = _outputs(module, unheard, example)
    try:
        found = _outputs(module, without, example)
    except Exception:  # noqa: BLE001 - a network may refuse in any way
        return False
    return len(found) == len(expected) and all(map(_close, found, expected))


def _close(one: Tensor, other: Tensor) -> bool:
    if one.shape != other.shape:
        return False
    return not one.numel() or bool((one - other).abs().max() <= CLOSE * other.abs().max())


def _outputs(module: nn.Module, tensors: Mapping[str, Tensor], example: Any) -> list[Tensor]:
    """Return the floating-point tensors that the module puts out."""
    named = example if isinstance(example, dict) else {}
    ordered = () if named else example if isinstance(example, tuple | list) else (example,)
    outputs = functional_call(module, dict(tensors), tuple(ordered), named)
    return [tensor for tensor in tensors_in(outputs) if tensor.is_floating_point()]


def tensors_in(outputs: Any) -> Iterator[Tensor]:
    """Yield the tensors among what a module takes or returns, in order, nested ones included."""
    if isinstance(outputs, Tensor):
        yield outputs
    elif isinstance(outputs, Mapping):
        yield from tensors_in(tuple(outputs.values()))
    elif isinstance(outputs, tuple | list):
        for one in outputs:
            yield from tensors_in(one)
