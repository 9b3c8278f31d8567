"""Whether a group of channels is all that it seems: tried on the network, not assumed.

Removing channels has to come to the same as letting nobody hear them. Where a network cuts its
channels into heads, gates the ones with the others or puts them out, too, it does not. Norms that
take a mean and a variance over several channels hear them all: there, the channels that stay have
to do as if the others repeated them, which leaves mean and variance as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from workbench.compression.channels import Group, staying
from workbench.zoo.batch import lend
from workbench.zoo.between import brief
from workbench.zoo.sized import followed

CLOSE = 1e-3
"""What outputs may differ by, as a share of the largest: sums in another order."""
SHAKEN = 0.5
"""Of a tensor's root mean square, what is added so that no weight hides what goes on."""
LEAST = 0.1
"""The root mean square that vectors are taken to have at least: many are zero at first."""

Tensors = dict[str, Tensor]
Objection = tuple[Literal["output", "between", "fails"], str]


@torch.no_grad()
def objection(module: nn.Module, group: Group, example: Any) -> Objection | None:
    """Return why the channels of `group` cannot be removed, and the error if any; None if they can.

    The network without some random ones of them has to compute what it does as if nobody heard
    them: without one, on its own weights, and without half, on weights that are shaken so that none
    is zero. Else it has to compute what it does if those that go repeat those that stay, equally
    often.
    """
    if group.channels == 1:  # it never goes
        return None
    tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}  # tied ones once
    if not {member.tensor for member in group.members} <= set(tensors):
        return "between", ""
    lot = torch.Generator().manual_seed(group.channels)
    shaken = {name: _shaken(tensor, lot) for name, tensor in tensors.items()}
    some = torch.randperm(group.channels, generator=lot)
    divisors = [n for n in range(1, group.channels) if group.channels % n == 0]
    with followed(module):
        for own, kept in ((tensors, some[1:]), (shaken, some[: (group.channels + 1) // 2])):
            against = _compared(module, group, kept, _unheard(own, group, kept), own, example)
            if against is not None:
                break
        else:
            return None
        if against[0] != "between":
            return against
        for own, most in ((shaken, divisors[-1]), (tensors, divisors[len(divisors) // 2])):
            kept = some[:most]
            expected = _unheard(_repeated(own, group, some, most), group, kept)
            if _compared(module, group, kept, expected, own, example) is not None:
                return against
    return None


def _compared(
    module: nn.Module, group: Group, kept: Tensor, silent: Tensors, tensors: Tensors, example: Any
) -> Objection | None:
    """Return how the network that keeps `kept` differs from the whole one on `silent` tensors."""
    narrow = dict(tensors)
    for (name, axis), flags in staying(tensors, [group], [kept.sort().values]).items():
        narrow[name] = narrow[name].index_select(axis, flags.nonzero().flatten())
    expected = _outputs(module, silent, example)
    try:
        found = _outputs(module, narrow, example)
    except Exception as error:  # noqa: BLE001 - a network may refuse in any way
        return "fails", brief(error)
    if [one.shape for one in found] != [other.shape for other in expected]:
        return "output", ""
    return None if all(map(_close, found, expected)) else ("between", "")


def _unheard(tensors: Tensors, group: Group, kept: Tensor) -> Tensors:
    """Return tensors with which no layer hears other channels than those that are kept."""
    heard = torch.zeros(group.channels)
    heard[kept] = 1
    silent = dict(tensors)
    for member in group.having("takes"):
        silent[member.tensor] = member.times(silent[member.tensor], heard)
    return silent


def _repeated(tensors: Tensors, group: Group, order: Tensor, stay: int) -> Tensors:
    """Return tensors with which channels are copies of the first `stay` in `order`."""
    source = torch.empty_like(order)
    source[order] = order[:stay].repeat(len(order) // stay)
    copies = dict(tensors)
    for member in group.members:
        if member.role != "takes":
            copies[member.tensor] = member.copied(copies[member.tensor], source)
    return copies


def _shaken(tensor: Tensor, lot: torch.Generator) -> Tensor:
    """Return a parameter or buffer with noise, if it is one of weights and not of statistics."""
    if not isinstance(tensor, nn.Parameter) or not tensor.is_floating_point():
        return tensor
    size = float(tensor.square().mean().sqrt()) if tensor.numel() else 0.0
    vector = tensor.numel() == max(tensor.shape, default=1)
    noise = torch.randn(tensor.shape, generator=lot, dtype=torch.float32)
    return tensor + noise.to(tensor) * SHAKEN * (max(size, LEAST) if vector else size or LEAST)


def _close(one: Tensor, other: Tensor) -> bool:
    return not one.numel() or bool((one - other).abs().max() <= CLOSE * other.abs().max())


def _outputs(module: nn.Module, tensors: Mapping[str, Tensor], example: Any) -> list[Tensor]:
    """Return the floating-point tensors that the module puts out."""
    named = _copied(example) if isinstance(example, Mapping) else {}
    ordered = () if named else example if isinstance(example, tuple | list) else (example,)
    outputs = lend(module, tensors, tuple(map(_own, ordered)), named)
    return [tensor for tensor in tensors_in(outputs) if tensor.is_floating_point()]


def _copied(example: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _own(value) for name, value in example.items()}


def _own(value: Any) -> Any:
    """Return a copy of an input, which a module may write to."""
    return value.clone() if isinstance(value, Tensor) else value


def tensors_in(outputs: Any) -> Iterator[Tensor]:
    """Yield the tensors among what a module takes or returns, in order, nested ones included."""
    if isinstance(outputs, Tensor):
        yield outputs
    elif isinstance(outputs, Mapping):
        yield from tensors_in(tuple(outputs.values()))
    elif isinstance(outputs, tuple | list):
        for one in outputs:
            yield from tensors_in(one)
