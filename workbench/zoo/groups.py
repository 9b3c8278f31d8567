"""Which channels of a model can only go together, found by torch-pruning's dependency graph.

The graph follows residual links, normalisation and reshaping (Fang et al. 2023, DepGraph, arXiv
2301.12900); what it finds is turned into plain data once for each architecture.
"""

from __future__ import annotations

import logging
import warnings
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from workbench.compression.channels import Group, Member, Role
from workbench.zoo.builtin import Architecture
from workbench.zoo.fresh import fresh
from workbench.zoo.unheard import holds

log = logging.getLogger(__name__)

MULTIPLY = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMALISE = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
MAKES: dict[str, Role] = {"weight": "makes", "bias": "follows"}
FOLLOWS: dict[str, Role] = dict.fromkeys(
    ("weight", "bias", "running_mean", "running_var"), "follows"
)
OUT = dict.fromkeys(MULTIPLY, MAKES) | dict.fromkeys(NORMALISE, FOLLOWS)
"""The tensors of each kind of layer that have its output channels along their first axis.

Those that multiply have their input channels along the second axis of their weights.
"""


@cache
def groups(architecture: Architecture) -> tuple[Group, ...]:
    """Return the groups of channels of an architecture, in the order of their first layer.

    As `groups_of` says; none where torch-pruning cannot follow the network.
    """
    example = architecture.task.inputs(architecture.task.split("validation").examples[:1])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about tensors that no group may touch anyway
            return groups_of(fresh(architecture).eval(), example)
    except Exception as error:  # noqa: BLE001 - it meets whatever people build
        log.info("no channels of %s can be removed: %s", architecture.name, error)
        return ()


def groups_of(module: nn.Module, example: Any) -> tuple[Group, ...]:
    """Return the groups of channels of any module in eval mode, in the order of their first layer.

    A group is left out where its channels are the network's own outputs, go through a layer of
    another kind than those above, or turn out to go elsewhere, too: that is tried. Whatever
    torch-pruning raises where it cannot follow a network is raised here.

    Parameters
    ----------
    module
        Its weights are not changed.
    example
        What it takes: a tensor, a tuple of arguments, or a dictionary of arguments by name.
    """
    import torch_pruning

    paths = {child: path for path, child in module.named_modules()}
    with torch.enable_grad():  # the graph is read off autograd's
        graph = torch_pruning.DependencyGraph().build_dependency(module, example_inputs=example)
    found = []
    for coupled in graph.get_all_groups(root_module_types=list(MULTIPLY)):
        channels = len(coupled[0][1])
        if not channels:  # no layer gets what this one puts out
            continue
        members = [member for item in coupled for member in _members(item, graph, paths, channels)]
        takes = any(member is not None and member.role == "takes" for member in members)
        if takes and all(member is not None for member in members):
            group = Group(tuple(member for member in members if member is not None))
            found += [group] if holds(module, group, example) else []
    order = {f"{path}.weight": place for place, path in enumerate(paths.values())}
    return tuple(sorted(found, key=lambda group: min(order[name] for name in group.makers)))


def _members(
    item: Any, graph: Any, paths: dict[nn.Module, str], channels: int
) -> list[Member | None]:
    """Return what one entry of a group of the graph cuts; None where it is not known how."""
    layer = item.dep.target.module
    if isinstance(layer, nn.Parameter):
        return [None]
    if layer not in paths:  # an operation without tensors of its own
        return []
    places = _places(item.idxs, item.root_idxs, channels)
    whole = getattr(layer, "groups", 1) == 1
    if places is None or not whole or type(layer) not in OUT:
        return [None]
    path = paths[layer]
    takes = not graph.is_out_channel_pruning_fn(item.dep.handler)
    if int(places.max()) >= layer.weight.shape[int(takes)]:  # lost where the network splits
        return [None]
    if takes:
        return [Member(f"{path}.weight", 1, "takes", places)]
    return [
        Member(f"{path}.{name}", 0, role, places)
        for name, role in OUT[type(layer)].items()
        if getattr(layer, name) is not None
    ]


def _places(entries: list[int], roots: list[int] | None, channels: int) -> Tensor | None:
    """Return the entries of each channel, int64 [channels, n]; None where they are not as many."""
    if not roots or len(entries) % channels:
        return None
    order = sorted(range(len(entries)), key=lambda at: (roots[at], entries[at]))
    owners = torch.tensor([roots[at] for at in order]).view(channels, -1)
    if not bool((owners == torch.arange(channels).unsqueeze(1)).all()):
        return None
    return torch.tensor([entries[at] for at in order]).view(channels, -1)
