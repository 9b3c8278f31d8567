"""One architecture without 30 % of its channels, where torch-pruning can tell which go together."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from _architectures import named
from _architectures.architecture import Inputs, run
from _architectures.trial import SAME, SEEDS, fresh, own_tensors, randomize
from workbench.compression.channels import SCORES, Group, remove_channels
from workbench.compression.stats import CalibrationStats
from workbench.graph.channel_groups import module_channel_groups
from workbench.graph.verify_groups import passes_averaging_norm
from workbench.recipe import Structure
from workbench.runtime.layer_sizes import tracked_sizes

STRUCTURE = Structure(0.3)


@dataclass(frozen=True)
class Narrowing:
    """What became of it.

    `removed` is the share of all values that went with the channels of `groups`; `unsupported`
    says why there is nothing to remove, and `fault` what is not as it should be.
    """

    groups: int = 0
    removed: float = 0.0
    unsupported: str = ""
    fault: str = ""


def ready(name: str) -> int:
    """Import what the network of a name needs, and return the number of this process."""
    named(name).build()
    return os.getpid()


@torch.no_grad()
def narrowing(name: str) -> Narrowing:
    """Remove channels, and compare with the whole network in which nobody listens to them.

    Norms over several channels listen to all of them: groups with such norms only have to run.
    """
    architecture = named(name)
    module = fresh(architecture, 0)
    randomize(module, 0)
    tensors = {name: tensor.detach().clone() for name, tensor in own_tensors(module).items()}
    try:
        groups = module_channel_groups(module, architecture.inputs(SEEDS[0]))
    except Exception as error:  # noqa: BLE001 - whatever torch-pruning meets in foreign code
        return Narrowing(unsupported=f"torch-pruning stops with {type(error).__name__}")
    if not groups:
        return Narrowing(unsupported="no group that we can cut")
    fewer = remove_channels(tensors, groups, STRUCTURE, CalibrationStats()).weights
    left = sum(tensor.numel() for tensor in fewer.values())
    removed = 1 - left / sum(tensor.numel() for tensor in tensors.values())
    inputs = architecture.inputs(SEEDS[0])
    alone = [group for group in groups if not _averages(module, group)]
    try:
        _lent(module, fewer, inputs)
        found = _lent(
            module, remove_channels(tensors, alone, STRUCTURE, CalibrationStats()).weights, inputs
        )
    except RuntimeError as error:
        return Narrowing(len(groups), removed, fault=f"does not run: {error}".splitlines()[0])
    expected = _lent(module, _unheard(tensors, alone), inputs)
    same = all(
        one.shape == other.shape and bool((one - other).abs().max() <= SAME * other.abs().max())
        for one, other in zip(found, expected, strict=True)
    )
    return Narrowing(len(groups), removed, fault="" if same else "other outputs")


def _averages(module: nn.Module, group: Group) -> bool:
    """Return whether a norm over several channels, PyTorch's or their own, is or may be there."""
    owners = (module.get_submodule(one.tensor.rpartition(".")[0]) for one in group.members)
    own = any(not type(owner).__module__.startswith("torch.nn") for owner in owners)
    return own or passes_averaging_norm(module, group)


def _unheard(tensors: dict[str, Tensor], groups: Sequence[Group]) -> dict[str, Tensor]:
    """Return the whole network's tensors, zero where they take a channel that goes."""
    found = dict(tensors)
    for group in groups:
        score = SCORES["group norm"](group, tensors, CalibrationStats(), torch.Generator())
        stays = torch.ones(group.channels)
        stays[score.argsort(stable=True)[: round(STRUCTURE.removed * group.channels)]] = 0
        for member in group.with_role("takes"):
            found[member.tensor] = member.times(found[member.tensor], stays)
    return found


def _lent(module: nn.Module, tensors: dict[str, Tensor], inputs: Inputs) -> list[Tensor]:
    """Return the outputs of `module` with other tensors."""

    class Lent(nn.Module):
        """Lets `run` call it."""

        def forward(self, *args: Tensor, **named: Tensor) -> object:
            """Return what the module makes of them."""
            return functional_call(module, tensors, args, named)

    with tracked_sizes(module):
        return run(Lent(), inputs)
