"""Remove 30 % of a network's channels where torch-pruning can tell which belong together."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from _architectures import named
from _architectures.architecture import Inputs, run
from _architectures.trial import SEEDS, TOLERANCE, build, randomize, unique_tensors
from workbench.compression.channel_pruning import remove_channels
from workbench.compression.channel_scores import SCORES
from workbench.compression.channels import Group
from workbench.compression.stats import CalibrationStats
from workbench.graph.channel_groups import module_channel_groups
from workbench.graph.verify_groups import passes_averaging_norm
from workbench.recipe import Structure
from workbench.runtime.layer_sizes import tracked_sizes

STRUCTURE = Structure(0.3)


@dataclass(frozen=True)
class Removal:
    """The result of removing channels.

    Attributes
    ----------
    groups : int
        The number of channel groups.
    removed : float
        The fraction of all values that was removed with the channels.
    unsupported : str
        Why no channel can be removed.
    fault : str
        What is wrong with the smaller network.
    """

    groups: int = 0
    removed: float = 0.0
    unsupported: str = ""
    fault: str = ""


def warm_up(name: str) -> int:
    """Import what the network called `name` needs; return the id of this process."""
    named(name).build()
    return os.getpid()


@torch.no_grad()
def remove(name: str) -> Removal:
    """Remove channels, and compare with the full network in which these channels have no effect.

    A norm over several channels reads all of them, so groups with such norms only have to run.
    """
    architecture = named(name)
    module = build(architecture, 0)
    randomize(module, 0)
    tensors = {name: tensor.detach().clone() for name, tensor in unique_tensors(module).items()}
    inputs = architecture.inputs(SEEDS[0])
    try:
        groups = module_channel_groups(module, inputs)
    except Exception as error:  # noqa: BLE001 - torch-pruning may raise anything on foreign code
        return Removal(unsupported=f"torch-pruning stops with {type(error).__name__}")
    if not groups:
        return Removal(unsupported="no group that we can cut")
    smaller = _remove(tensors, groups)
    remaining = sum(tensor.numel() for tensor in smaller.values())
    removed = 1 - remaining / sum(tensor.numel() for tensor in tensors.values())
    exact = [group for group in groups if not _may_average(module, group)]
    try:
        _outputs(module, smaller, inputs)
        outputs = _outputs(module, _remove(tensors, exact), inputs)
    except RuntimeError as error:
        return Removal(len(groups), removed, fault=f"does not run: {error}".splitlines()[0])
    expected = _outputs(module, _without_effect(tensors, exact), inputs)
    same = all(
        a.shape == b.shape and bool((a - b).abs().max() <= TOLERANCE * b.abs().max())
        for a, b in zip(outputs, expected, strict=True)
    )
    return Removal(len(groups), removed, fault="" if same else "other outputs")


def _remove(tensors: dict[str, Tensor], groups: Sequence[Group]) -> dict[str, Tensor]:
    return remove_channels(tensors, groups, STRUCTURE, CalibrationStats()).weights


def _may_average(module: nn.Module, group: Group) -> bool:
    """Return whether a norm over several channels, of PyTorch or custom, may read the group."""
    owners = (module.get_submodule(m.tensor.rpartition(".")[0]) for m in group.members)
    custom = any(not type(owner).__module__.startswith("torch.nn") for owner in owners)
    return custom or passes_averaging_norm(module, group)


def _without_effect(tensors: dict[str, Tensor], groups: Sequence[Group]) -> dict[str, Tensor]:
    """Return the full network's tensors, zero where they read a removed channel."""
    result = dict(tensors)
    for group in groups:
        score = SCORES["group_norm"](group, tensors, CalibrationStats(), torch.Generator())
        mask = torch.ones(group.channels)
        mask[score.argsort(stable=True)[: round(STRUCTURE.removed * group.channels)]] = 0
        for member in group.with_role("takes"):
            result[member.tensor] = member.times(result[member.tensor], mask)
    return result


def _outputs(module: nn.Module, tensors: dict[str, Tensor], inputs: Inputs) -> list[Tensor]:
    """Return the outputs of `module` with other tensors."""

    class WithTensors(nn.Module):
        """A module that `run` can call."""

        def forward(self, *args: Tensor, **kwargs: Tensor) -> object:
            """Call the module with the tensors."""
            return functional_call(module, tensors, args, kwargs)

    with tracked_sizes(module):
        return run(WithTensors(), inputs)
