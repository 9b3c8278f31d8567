"""Verify numerically that removing a channel group is equivalent to zeroing its inputs.

The two differ if a network splits its channels into heads, gates channels with each other, or also
returns them as outputs. Norms that average over several channels depend on all of them. For those,
removal must be equivalent to replacing the removed channels by copies of the others, which leaves
mean and variance unchanged.
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
from workbench.runtime.batch import call_with_tensors
from workbench.runtime.layer_sizes import tracked_sizes
from workbench.runtime.nested import map_tensors, tensors_in

AVERAGING = (nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
"""Norms that may average over several channels."""
TOLERANCE = 1e-3
"""The accepted difference of outputs, relative to the largest output; sums change their order."""
NOISE = 0.5
"""Noise added to each weight, relative to its root mean square, so that no weight has no effect."""
MIN_VECTOR_RMS = 0.1
"""The lowest root mean square used for vectors, because many are initialized to zero."""

Tensors = dict[str, Tensor]
Objection = tuple[Literal["output", "between", "fails"], str]


@dataclass(frozen=True, eq=False)
class ChannelRemoval:
    """The removal of all channels of a group except `retained`.

    With `order`, a permutation of all channels that begins with `retained`, the reference network
    repeats the retained channels in place of the removed ones.
    """

    group: Group
    retained: Tensor
    order: Tensor | None = None


class GroupVerifier:
    """Removes channels from a module on trial. The module is not changed.

    Parameters
    ----------
    module
        A module in eval mode.
    example
        Its inputs: a tensor, a tuple of arguments, or a dict of keyword arguments.
    """

    def __init__(self, module: nn.Module, example: Any) -> None:
        self._module, self._example = module, example
        self._tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}

    @torch.no_grad()
    def objections(self, groups: Sequence[Group]) -> list[Objection | None]:
        """Return for each group why its channels cannot be removed, or None if they can.

        Random channels are removed, one with the original weights and half of them with noisy
        weights. The outputs must equal those of the network in which no layer uses the removed
        channels, or those in which the removed channels are copies of the retained ones. All groups
        are verified at once, and halves of them after a failure.
        """
        with tracked_sizes(self._module):
            return self._verify(groups)

    @cached_property
    def _noisy(self) -> Tensors:
        """The tensors, with noise on all weights so that none is zero."""
        generator = torch.Generator().manual_seed(0)
        return {name: _with_noise(tensor, generator) for name, tensor in self._tensors.items()}

    def _verify(self, groups: Sequence[Group]) -> list[Objection | None]:
        if len(groups) == 1:
            return [self._objection(groups[0])]
        if not groups or self._all_removable(groups):
            return [None] * len(groups)
        middle = len(groups) // 2
        return self._verify(groups[:middle]) + self._verify(groups[middle:])

    def _all_removable(self, groups: Sequence[Group]) -> bool:
        """Return whether all groups can lose channels at once."""
        few, many = zip(*map(self._likely_removals, groups), strict=True)
        return not (self._differs(self._noisy, many) or self._differs(self._tensors, few))

    def _likely_removals(self, group: Group) -> tuple[ChannelRemoval, ChannelRemoval]:
        """Return the two removals of a group that are expected to succeed."""
        averaged = passes_averaging_norm(self._module, group)
        return _repeating(group) if averaged else _zeroing(group)

    def _objection(self, group: Group) -> Objection | None:
        if group.channels == 1:  # it is never removed
            return None
        few, many = _zeroing(group)
        objection = self._differs(self._tensors, [few]) or self._differs(self._noisy, [many])
        if objection is None or objection[0] != "between":
            return objection
        few, many = _repeating(group)
        differs = self._differs(self._noisy, [many]) or self._differs(self._tensors, [few])
        return objection if differs else None

    def _differs(self, tensors: Tensors, removals: Sequence[ChannelRemoval]) -> Objection | None:
        """Return how the network without channels differs from the reference network."""
        reduced, reference = dict(tensors), dict(tensors)
        groups, retained = [r.group for r in removals], [r.retained.sort().values for r in removals]
        for (name, axis), flags in kept_entries(tensors, groups, retained).items():
            reduced[name] = reduced[name].index_select(axis, flags.nonzero().flatten())
        for removal in removals:
            reference = _zeroed(_repeated(reference, removal), removal)
        try:
            expected = _outputs(self._module, reference, self._example)
            outputs = _outputs(self._module, reduced, self._example)
        except Exception as error:  # noqa: BLE001 - user modules may fail in any way
            return "fails", failing_module(error)
        if [output.shape for output in outputs] != [output.shape for output in expected]:
            return "output", ""
        return None if all(map(_close, outputs, expected)) else ("between", "")


def passes_averaging_norm(module: nn.Module, group: Group) -> bool:
    """Return whether channels of a group pass through a norm that may average over several."""
    paths = (member.tensor.rpartition(".")[0] for member in group.members)
    return any(isinstance(module.get_submodule(path), AVERAGING) for path in paths)


def _zeroing(group: Group) -> tuple[ChannelRemoval, ChannelRemoval]:
    """Return removals of one channel and of half the channels."""
    order = _random_order(group)
    return ChannelRemoval(group, order[min(1, group.channels - 1) :]), ChannelRemoval(
        group, order[: (group.channels + 1) // 2]
    )


def _repeating(group: Group) -> tuple[ChannelRemoval, ChannelRemoval]:
    """Return removals that retain some and most channels, which can be repeated equally."""
    order = _random_order(group)
    divisors = [n for n in range(1, group.channels) if group.channels % n == 0] or [1]
    few, many = divisors[len(divisors) // 2], divisors[-1]
    return ChannelRemoval(group, order[:few], order), ChannelRemoval(group, order[:many], order)


def _random_order(group: Group) -> Tensor:
    generator = torch.Generator().manual_seed(group.channels)
    return torch.randperm(group.channels, generator=generator)


def _zeroed(tensors: Tensors, removal: ChannelRemoval) -> Tensors:
    """Return tensors with which no layer uses the removed channels."""
    factors = torch.zeros(removal.group.channels)
    factors[removal.retained] = 1
    zeroed = dict(tensors)
    for member in removal.group.with_role("takes"):
        zeroed[member.tensor] = member.times(zeroed[member.tensor], factors)
    return zeroed


def _repeated(tensors: Tensors, removal: ChannelRemoval) -> Tensors:
    """Return tensors with which the removed channels are copies of the retained ones."""
    order, retained = removal.order, len(removal.retained)
    if order is None:
        return tensors
    source = torch.empty_like(order)
    source[order] = order[:retained].repeat(len(order) // retained)
    repeated = dict(tensors)
    for member in removal.group.members:
        if member.role != "takes":
            repeated[member.tensor] = member.gather_channels(repeated[member.tensor], source)
    return repeated


def _with_noise(tensor: Tensor, generator: torch.Generator) -> Tensor:
    """Return a parameter with noise; buffers and integers are unchanged."""
    if not isinstance(tensor, nn.Parameter) or not tensor.is_floating_point():
        return tensor
    rms = float(tensor.square().mean().sqrt()) if tensor.numel() else 0.0
    is_vector = tensor.numel() == max(tensor.shape, default=1)
    scale = max(rms, MIN_VECTOR_RMS) if is_vector else rms or MIN_VECTOR_RMS
    noise = torch.randn(tensor.shape, generator=generator, dtype=torch.float32)
    return tensor + noise.to(tensor) * NOISE * scale


def _close(output: Tensor, expected: Tensor) -> bool:
    difference = (output - expected).abs()
    return not output.numel() or bool(difference.max() <= TOLERANCE * expected.abs().max())


def _outputs(module: nn.Module, tensors: Mapping[str, Tensor], example: Any) -> list[Tensor]:
    """Return the floating-point outputs of the module on copies of its inputs."""
    example = map_tensors(torch.clone, example)  # a module may write to its inputs
    kwargs = example if isinstance(example, Mapping) else {}
    args = () if kwargs else tuple(example) if isinstance(example, tuple | list) else (example,)
    outputs = call_with_tensors(module, tensors, args, kwargs)
    return [tensor for tensor in tensors_in(outputs) if tensor.is_floating_point()]
