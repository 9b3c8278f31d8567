"""Whether a group of channels is all that it seems: tried on the network, not assumed.

Removing channels has to come to the same as letting nobody hear them. Where a network cuts its
channels into heads, gates the ones with the others or puts them out, too, it does not. Norms that
take a mean and a variance over several channels hear them all: there, the channels that stay have
to do as if the others repeated them, which leaves mean and variance as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor, nn

from workbench.compression.channels import Group, kept_entries
from workbench.graph.display_names import failing_module
from workbench.runtime.batch import call_with_tensors, tensors_in
from workbench.runtime.layer_sizes import tracked_sizes

AVERAGING = (nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
"""Norms that may take a mean over several channels."""
CLOSE = 1e-3
"""What outputs may differ by, as a share of the largest: sums in another order."""
SHAKEN = 0.5
"""Of a tensor's root mean square, what is added so that no weight hides what goes on."""
LEAST = 0.1
"""The root mean square that vectors are taken to have at least: many are zero at first."""

Tensors = dict[str, Tensor]
Objection = tuple[Literal["output", "between", "fails"], str]


@dataclass(frozen=True, eq=False)
class ChannelRemoval:
    """Channels of a group that stay, and if the others repeat them first: all, those first."""

    group: Group
    kept: Tensor
    order: Tensor | None = None


class GroupVerifier:
    """Tries to remove channels from `module`, which is run on `example` and stays as it is.

    Parameters
    ----------
    module
        In eval mode.
    example
        What it takes: a tensor, a tuple of arguments, or a dictionary of arguments by name.
    """

    def __init__(self, module: nn.Module, example: Any) -> None:
        self._module, self._example = module, example
        self._own = {**dict(module.named_parameters()), **dict(module.named_buffers())}  # tied once

    @torch.no_grad()
    def objections(self, groups: Sequence[Group]) -> list[Objection | None]:
        """Return for each group why its channels cannot go, and the error, if any; else None.

        The network without some random channels has to compute what it does as if nobody heard
        them: without one, on its own weights, and without half, on shaken ones. Else it has to
        compute what it does if those that go repeat those that stay, equally often. All groups are
        tried at once, and halves of them where that fails.
        """
        with tracked_sizes(self._module):
            return self._tried(groups)

    @cached_property
    def _shaken(self) -> Tensors:
        """The tensors, with noise on all weights so that none is zero."""
        lot = torch.Generator().manual_seed(0)
        return {name: _shaken(tensor, lot) for name, tensor in self._own.items()}

    def _tried(self, groups: Sequence[Group]) -> list[Objection | None]:
        if len(groups) == 1:
            return [self._objection(groups[0])]
        if not groups or self._hold(groups):
            return [None] * len(groups)
        middle = len(groups) // 2
        return self._tried(groups[:middle]) + self._tried(groups[middle:])

    def _hold(self, groups: Sequence[Group]) -> bool:
        """Return whether all groups can lose channels at once."""
        first, second = zip(*map(self._likely, groups), strict=True)
        return not (self._differs(self._shaken, second) or self._differs(self._own, first))

    def _likely(self, group: Group) -> tuple[ChannelRemoval, ChannelRemoval]:
        """Return the two trials of a group that it should pass."""
        averaged = passes_averaging_norm(self._module, group)
        return _repeating(group) if averaged else _silencing(group)

    def _objection(self, group: Group) -> Objection | None:
        if group.channels == 1:  # it never goes
            return None
        one, half = _silencing(group)
        against = self._differs(self._own, [one]) or self._differs(self._shaken, [half])
        if against is None or against[0] != "between":
            return against
        some, most = _repeating(group)
        differs = self._differs(self._shaken, [most]) or self._differs(self._own, [some])
        return against if differs else None

    def _differs(self, tensors: Tensors, trials: Sequence[ChannelRemoval]) -> Objection | None:
        """Return how the network without channels differs from the whole one that ignores them."""
        narrow, whole = dict(tensors), dict(tensors)
        groups, kept = [one.group for one in trials], [one.kept.sort().values for one in trials]
        for (name, axis), flags in kept_entries(tensors, groups, kept).items():
            narrow[name] = narrow[name].index_select(axis, flags.nonzero().flatten())
        for trial in trials:
            whole = _unheard(_repeated(whole, trial), trial)
        try:
            expected = _outputs(self._module, whole, self._example)
            found = _outputs(self._module, narrow, self._example)
        except Exception as error:  # noqa: BLE001 - a network may refuse in any way
            return "fails", failing_module(error)
        if [one.shape for one in found] != [other.shape for other in expected]:
            return "output", ""
        return None if all(map(_close, found, expected)) else ("between", "")


def passes_averaging_norm(module: nn.Module, group: Group) -> bool:
    """Return whether channels of a group go through a norm that may average over several."""
    paths = (member.tensor.rpartition(".")[0] for member in group.members)
    return any(isinstance(module.get_submodule(path), AVERAGING) for path in paths)


def _silencing(group: Group) -> tuple[ChannelRemoval, ChannelRemoval]:
    """Return trials without one channel, and without half."""
    order = _order(group)
    return ChannelRemoval(group, order[min(1, group.channels - 1) :]), ChannelRemoval(
        group, order[: (group.channels + 1) // 2]
    )


def _repeating(group: Group) -> tuple[ChannelRemoval, ChannelRemoval]:
    """Return trials with some and with most channels of which each can be repeated as often."""
    order = _order(group)
    divisors = [n for n in range(1, group.channels) if group.channels % n == 0] or [1]
    some, most = divisors[len(divisors) // 2], divisors[-1]
    return ChannelRemoval(group, order[:some], order), ChannelRemoval(group, order[:most], order)


def _order(group: Group) -> Tensor:
    lot = torch.Generator().manual_seed(group.channels)
    return torch.randperm(group.channels, generator=lot)


def _unheard(tensors: Tensors, trial: ChannelRemoval) -> Tensors:
    """Return tensors with which no layer hears other channels than those that are kept."""
    heard = torch.zeros(trial.group.channels)
    heard[trial.kept] = 1
    silent = dict(tensors)
    for member in trial.group.with_role("takes"):
        silent[member.tensor] = member.times(silent[member.tensor], heard)
    return silent


def _repeated(tensors: Tensors, trial: ChannelRemoval) -> Tensors:
    """Return tensors with which the channels that go are copies of those that stay."""
    order, stay = trial.order, len(trial.kept)
    if order is None:
        return tensors
    source = torch.empty_like(order)
    source[order] = order[:stay].repeat(len(order) // stay)
    copies = dict(tensors)
    for member in trial.group.members:
        if member.role != "takes":
            copies[member.tensor] = member.gather_channels(copies[member.tensor], source)
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
    outputs = call_with_tensors(module, tensors, tuple(map(_own, ordered)), named)
    return [tensor for tensor in tensors_in(outputs) if tensor.is_floating_point()]


def _copied(example: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _own(value) for name, value in example.items()}


def _own(value: Any) -> Any:
    """Return a copy of an input, which a module may write to."""
    return value.clone() if isinstance(value, Tensor) else value
