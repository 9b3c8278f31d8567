"""Which channels of a model can only go together, found by torch-pruning's dependency graph.

The graph follows residual links, normalisation and reshaping (Fang et al. 2023, DepGraph, arXiv
2301.12900); what it finds is turned into plain data once for each architecture.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from workbench.cache.memory import MemoryCache
from workbench.compression.channels import Group, Member, UnprunedLayers
from workbench.domain.initialize import private_module
from workbench.domain.model import Architecture
from workbench.graph.dependencies import coupled_groups, dependency_graph
from workbench.graph.display_names import DisplayNames, mixing_operations, summarize_error
from workbench.graph.layer_axes import PRODUCT_LAYERS, Axis, channel_axes
from workbench.graph.verify_groups import GroupVerifier
from workbench.runtime.batch import HALF_DTYPES, Batch

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class ChannelAnalysis:
    """The groups of channels of a network, and the layers that keep all of theirs.

    Both are in the order of their first layer.
    """

    groups: tuple[Group, ...]
    unpruned: tuple[UnprunedLayers, ...]


_found: MemoryCache[ChannelAnalysis] = MemoryCache(64)


def analyze_channels(architecture: Architecture) -> ChannelAnalysis:
    """Return the groups of channels of an architecture, and what keeps other layers whole.

    As `analyze_module_channels` says. Where torch-pruning cannot follow the network there are no groups, and
    `Channels.whole` says why.
    """
    return _found.of(architecture.key, lambda: _channels(architecture), architecture.lifetime)


def _channels(architecture: Architecture) -> ChannelAnalysis:
    examples = architecture.task.split("validation").examples
    fewest = 1 if architecture.traits.single_example else 2
    one, some = (_arguments(architecture.task.inputs(examples[:n])) for n in (fewest, 2))
    module = private_module(architecture)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about tensors that no group may touch anyway
            return analyze_module_channels(module, one, some)
    except Exception as error:  # noqa: BLE001 - it meets whatever people build
        log.info("no channels of %s can be removed: %s", architecture.name, error)
        return ChannelAnalysis(
            (), tuple(_others(module, DisplayNames(module), (), summarize_error(error)))
        )


def _arguments(inputs: Any) -> tuple[Tensor, ...] | dict[str, Tensor]:
    """Return a module's inputs by order or by name, half precision widened as its weights are."""
    batch = Batch.of(inputs)
    if any(tensor.dtype in HALF_DTYPES for tensor in batch.tensors):
        batch = batch.to(torch.float32)
    return (
        batch.tensors if batch.names is None else dict(zip(batch.names, batch.tensors, strict=True))
    )


def channel_groups(architecture: Architecture) -> tuple[Group, ...]:
    """Return the groups of channels of an architecture, in the order of their first layer."""
    return analyze_channels(architecture).groups


def module_channel_groups(module: nn.Module, example: Any) -> tuple[Group, ...]:
    """Return the groups of channels of any module in eval mode, as `analyze_module_channels` says."""
    return analyze_module_channels(module, example).groups


def analyze_module_channels(module: nn.Module, example: Any, others: Any = None) -> ChannelAnalysis:
    """Return the groups of channels of any module in eval mode, and what keeps the others whole.

    A group is left out where its channels are the network's own outputs, go through a layer of
    another kind than those above, or turn out to go elsewhere, too: that is tried. Whatever
    torch-pruning raises where it cannot follow a network is raised here.

    Parameters
    ----------
    module
        Its weights are not changed.
    example
        What it takes: a tensor, a tuple of arguments, or a dictionary of arguments by name.
    others
        More of the same, that groups are tried on; `example` itself unless given.
    """
    names = DisplayNames(module)
    graph = dependency_graph(module, example, names)
    followed = [*coupled_groups(graph, names)]
    results = [
        one if isinstance(one, UnprunedLayers) else _group(one, graph, names) for one in followed
    ]
    likely = [one for one in results if isinstance(one, Group)]
    trials = GroupVerifier(module, example if others is None else others)
    against = dict(zip(map(id, likely), trials.objections(likely), strict=True))
    found = [one for one in likely if against[id(one)] is None]
    whole = [one for one in results if isinstance(one, UnprunedLayers)]
    for items, group in zip(followed, results, strict=True):
        if isinstance(group, Group) and (objection := against[id(group)]) is not None:
            why, error = objection
            what = "; ".join(filter(None, (mixing_operations(items, names), error)))
            whole.append(UnprunedLayers(group.producers, why, what))
    met = {member.tensor for group in found for member in group.members}
    met |= {name for one in whole for name in one.layers}
    whole += [one for one in _others(module, names, graph.module2node) if not met & {*one.layers}]
    order = {name: place for place, name in enumerate(_large(module))}
    last = len(order)
    return ChannelAnalysis(
        tuple(sorted(found, key=lambda one: min(order[name] for name in one.producers))),
        tuple(sorted(whole, key=lambda one: min(order.get(name, last) for name in one.layers))),
    )


def _large(module: nn.Module) -> list[str]:
    """Return the names of the weights that may have channels, in the module's order."""
    return [name for name, p in module.named_parameters() if p.ndim > 1 and p.is_floating_point()]


@dataclass(frozen=True)
class Part:
    """One entry of a group of the graph: where a tensor has which of the channels."""

    name: str
    axis: Axis
    entries: list[int]
    roots: list[int | None]


def _group(items: Any, graph: Any, names: DisplayNames) -> Group | UnprunedLayers:
    """Return what one group of the graph cuts, or what is in the way of that."""
    layers, in_the_way, parts = _parts(items, graph, names)
    if in_the_way:
        return UnprunedLayers(layers, "kind", _listed(in_the_way))
    unit = _units(len(items[0].idxs), [part for part in parts if part.axis.block])
    members = [_member(part, unit, names) for part in parts]
    known = tuple(member for member in members if member is not None)
    if len(known) < len(members):
        return UnprunedLayers(layers, "between", mixing_operations(items, names))
    if not any(member.role == "takes" for member in known):
        ends = any(not item.dep.target.outputs for item in items)  # else they were lost on the way
        return (
            UnprunedLayers(layers, "output")
            if ends
            else UnprunedLayers(layers, "between", mixing_operations(items, names))
        )
    if max(unit) == 0 < len(unit) - 1:  # all in one block each
        blocks = (item.dep.target.module for item in items)
        return UnprunedLayers(layers, "kind", _listed(filter(None, map(names.blocks, blocks))))
    return Group(known)


def _parts(
    items: Any, graph: Any, names: DisplayNames
) -> tuple[tuple[str, ...], list[str], list[Part]]:
    """Return the weights that make a group's channels, the kinds that keep them, and the rest."""
    makers: list[str] = []
    in_the_way, parts = [], []
    for item in items:
        node, path = item.dep.target, names.path(item.dep.target.module)
        outputs = graph.is_out_channel_pruning_fn(item.dep.handler)
        if path is None:  # an operation without tensors of its own
            continue
        if isinstance(node.module, PRODUCT_LAYERS) and outputs:
            makers += names.weights(node.module)
        axes = channel_axes(node.module, outputs, node.pruning_dim)
        if axes is None or not names.own_weights(node.module):
            in_the_way.append(names.kind(node.module))
            continue
        parts += [
            Part(f"{path}.{axis.tensor}".strip("."), axis, item.idxs, item.root_idxs)
            for axis in axes
        ]
    return tuple(dict.fromkeys(makers)), in_the_way, parts


def _member(part: Part, unit: list[int], names: DisplayNames) -> Member | None:
    """Return the places of the units of channels in a tensor; None where they are unclear."""
    axis = part.axis
    entries = [e % axis.block for e in part.entries] if axis.folded else part.entries
    places = _places(entries, part.roots, unit)
    size = names.tensors[part.name].shape[axis.axis] if part.name in names.tensors else 0
    if places is None or int(places.max()) >= size:  # lost where the network splits
        return None
    return Member(part.name, axis.axis, axis.role, places)


def _others(
    module: nn.Module, names: DisplayNames, followed: Container[Any], error: str = ""
) -> Iterator[UnprunedLayers]:
    """Yield each weight whose channels are not in a graph of the layers `followed`, and why.

    That is the `error` with which there was none, the kind of the layer, or that none calls it.
    """
    for name in _large(module):
        *path, _ = name.split(".")
        above = [module.get_submodule(".".join(path[:depth])) for depth in range(1, len(path))]
        layer = next((one for one in above if one in followed), None)
        layer = layer or module.get_submodule(".".join(path))
        if not isinstance(layer, PRODUCT_LAYERS) or layer in followed:
            yield UnprunedLayers((name,), "kind", names.kind(layer))
        else:
            yield UnprunedLayers((name,), "graph" if error else "unseen", error)


def _units(channels: int, parts: Iterable[Part]) -> list[int]:
    """Return for each channel the number of those that it can only go with.

    Without `parts` that have blocks of channels each is alone; else all that have the same place
    in their blocks are one.
    """
    least = list(range(channels))
    for part in parts:
        first: dict[int, int] = {}
        for entry, root in zip(part.entries, part.roots, strict=True):
            if root is None:
                continue
            one, other = least[root], least[first.setdefault(entry % part.axis.block, root)]
            if one != other:
                low, high = sorted((one, other))
                least = [low if each == high else each for each in least]
    number = {root: place for place, root in enumerate(sorted(set(least)))}
    return [number[root] for root in least]


def _places(entries: list[int], roots: list[int | None] | None, unit: list[int]) -> Tensor | None:
    """Return the entries of each unit, int64 [units, n]; None where they are not as many."""
    if not roots or None in roots:
        return None
    pairs = sorted(
        {
            (unit[root], entry)
            for root, entry in zip(roots, entries, strict=True)
            if root is not None
        }
    )
    units = max(unit) + 1
    if len(pairs) % units:
        return None
    owners = torch.tensor([owner for owner, _ in pairs]).view(units, -1)
    if not bool((owners == torch.arange(units).unsqueeze(1)).all()):
        return None
    return torch.tensor([entry for _, entry in pairs]).view(units, -1)


def _listed(kinds: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(kinds))
