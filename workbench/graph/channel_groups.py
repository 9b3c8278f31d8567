"""Groups of channels that must be removed together, from torch-pruning's dependency graph.

The graph follows residual connections, normalization and reshaping (Fang et al. 2023, DepGraph,
arXiv 2301.12900). The result is converted to plain data once per architecture.
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
    """The channel groups of a network, and the layers that keep all their channels.

    Both are sorted by their first layer.
    """

    groups: tuple[Group, ...]
    unpruned: tuple[UnprunedLayers, ...]


_analyses: MemoryCache[ChannelAnalysis] = MemoryCache(64)


def analyze_channels(architecture: Architecture) -> ChannelAnalysis:
    """Return the channel groups of an architecture, and why other layers keep their channels.

    If torch-pruning cannot follow the network, there are no groups, and `unpruned` has the reason.
    """
    return _analyses.of(architecture.key, lambda: _analyze(architecture), architecture.lifetime)


def _analyze(architecture: Architecture) -> ChannelAnalysis:
    examples = architecture.task.split("validation").examples
    fewest = 1 if architecture.traits.single_example else 2
    traced, verified = (_arguments(architecture.task.inputs(examples[:n])) for n in (fewest, 2))
    module = private_module(architecture)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about tensors that no group includes
            return analyze_module_channels(module, traced, verified)
    except Exception as error:  # noqa: BLE001 - user modules may fail in any way
        log.info("no channels of %s can be removed: %s", architecture.name, error)
        return ChannelAnalysis(
            (), tuple(_others(module, DisplayNames(module), (), summarize_error(error)))
        )


def _arguments(inputs: Any) -> tuple[Tensor, ...] | dict[str, Tensor]:
    """Return a module's inputs by position or name, half precision converted to float32."""
    batch = Batch.of(inputs)
    if any(tensor.dtype in HALF_DTYPES for tensor in batch.tensors):
        batch = batch.to(torch.float32)
    return (
        batch.tensors if batch.names is None else dict(zip(batch.names, batch.tensors, strict=True))
    )


def channel_groups(architecture: Architecture) -> tuple[Group, ...]:
    """Return the channel groups of an architecture, sorted by their first layer."""
    return analyze_channels(architecture).groups


def module_channel_groups(module: nn.Module, example: Any) -> tuple[Group, ...]:
    """Return the channel groups of any module in eval mode."""
    return analyze_module_channels(module, example).groups


def analyze_module_channels(module: nn.Module, example: Any, others: Any = None) -> ChannelAnalysis:
    """Return the channel groups of any module, and why other layers keep their channels.

    A group is excluded if its channels are outputs of the network, pass through a layer of an
    unsupported type, or fail the numerical verification. Any exception of torch-pruning is
    propagated.

    Parameters
    ----------
    module
        A module in eval mode. Its weights are not changed.
    example
        Its inputs for tracing: a tensor, a tuple of arguments, or a dict of keyword arguments.
    others
        Its inputs for verification; `example` by default.
    """
    names = DisplayNames(module)
    graph = dependency_graph(module, example, names)
    coupled = [*coupled_groups(graph, names)]
    results = [
        items if isinstance(items, UnprunedLayers) else _group(items, graph, names)
        for items in coupled
    ]
    candidates = [result for result in results if isinstance(result, Group)]
    verifier = GroupVerifier(module, example if others is None else others)
    objections = dict(zip(map(id, candidates), verifier.objections(candidates), strict=True))
    groups = [group for group in candidates if objections[id(group)] is None]
    unpruned = [result for result in results if isinstance(result, UnprunedLayers)]
    for items, group in zip(coupled, results, strict=True):
        if isinstance(group, Group) and (objection := objections[id(group)]) is not None:
            reason, error = objection
            detail = "; ".join(filter(None, (mixing_operations(items, names), error)))
            unpruned.append(UnprunedLayers(group.producers, reason, detail))
    covered = {member.tensor for group in groups for member in group.members}
    covered |= {name for item in unpruned for name in item.layers}
    others_unpruned = _others(module, names, graph.module2node)
    unpruned += [item for item in others_unpruned if not covered & {*item.layers}]
    order = {name: number for number, name in enumerate(_matrices(module))}
    last = len(order)
    return ChannelAnalysis(
        tuple(sorted(groups, key=lambda g: min(order[name] for name in g.producers))),
        tuple(sorted(unpruned, key=lambda u: min(order.get(name, last) for name in u.layers))),
    )


def _matrices(module: nn.Module) -> list[str]:
    """Return the names of the weights that may have channels, in the module's order."""
    return [name for name, p in module.named_parameters() if p.ndim > 1 and p.is_floating_point()]


@dataclass(frozen=True)
class Part:
    """One item of a group of the graph: the entries of a tensor axis that hold channels.

    `roots` are the numbers of these channels in the first layer of the group.
    """

    name: str
    axis: Axis
    entries: list[int]
    roots: list[int | None]


def _group(items: Any, graph: Any, names: DisplayNames) -> Group | UnprunedLayers:
    """Return one group of the graph as plain data, or the reason why it keeps its channels."""
    layers, unsupported, parts = _parts(items, graph, names)
    if unsupported:
        return UnprunedLayers(layers, "kind", _joined_names(unsupported))
    unit = _units(len(items[0].idxs), [part for part in parts if part.axis.block])
    members = [_member(part, unit, names) for part in parts]
    known = tuple(member for member in members if member is not None)
    if len(known) < len(members):
        return UnprunedLayers(layers, "between", mixing_operations(items, names))
    if not any(member.role == "takes" for member in known):
        if any(not item.dep.target.outputs for item in items):
            return UnprunedLayers(layers, "output")
        return UnprunedLayers(layers, "between", mixing_operations(items, names))
    if max(unit) == 0 < len(unit) - 1:  # each block is one unit
        blocks = (item.dep.target.module for item in items)
        return UnprunedLayers(
            layers, "kind", _joined_names(filter(None, map(names.blocks, blocks)))
        )
    return Group(known)


def _parts(
    items: Any, graph: Any, names: DisplayNames
) -> tuple[tuple[str, ...], list[str], list[Part]]:
    """Return the weights that produce a group's channels, the unsupported layers and the parts."""
    producers: list[str] = []
    unsupported, parts = [], []
    for item in items:
        node, path = item.dep.target, names.path(item.dep.target.module)
        outputs = graph.is_out_channel_pruning_fn(item.dep.handler)
        if path is None:  # an operation without parameters
            continue
        if isinstance(node.module, PRODUCT_LAYERS) and outputs:
            producers += names.weights(node.module)
        axes = channel_axes(node.module, outputs, node.pruning_dim)
        if axes is None or not names.has_plain_weight(node.module):
            unsupported.append(names.kind(node.module))
            continue
        parts += [
            Part(f"{path}.{axis.tensor}".strip("."), axis, item.idxs, item.root_idxs)
            for axis in axes
        ]
    return tuple(dict.fromkeys(producers)), unsupported, parts


def _member(part: Part, unit: list[int], names: DisplayNames) -> Member | None:
    """Return the entries of each unit of channels in a tensor, or None if they are unknown."""
    axis = part.axis
    entries = [e % axis.block for e in part.entries] if axis.folded else part.entries
    places = _places(entries, part.roots, unit)
    size = names.tensors[part.name].shape[axis.axis] if part.name in names.tensors else 0
    if places is None or int(places.max()) >= size:  # torch-pruning lost track of them
        return None
    return Member(part.name, axis.axis, axis.role, places)


def _others(
    module: nn.Module, names: DisplayNames, followed: Container[Any], error: str = ""
) -> Iterator[UnprunedLayers]:
    """Yield each weight that is not in the graph of the layers `followed`, with the reason.

    The reason is the `error` of torch-pruning, the type of the layer, or that it is never called.
    """
    for name in _matrices(module):
        *path, _ = name.split(".")
        ancestors = [module.get_submodule(".".join(path[:depth])) for depth in range(1, len(path))]
        layer = next((ancestor for ancestor in ancestors if ancestor in followed), None)
        layer = layer or module.get_submodule(".".join(path))
        if not isinstance(layer, PRODUCT_LAYERS) or layer in followed:
            yield UnprunedLayers((name,), "kind", names.kind(layer))
        else:
            yield UnprunedLayers((name,), "graph" if error else "unseen", error)


def _units(channels: int, parts: Iterable[Part]) -> list[int]:
    """Return the number of the unit of each channel. A unit is removed as a whole.

    Each channel is a unit of its own, unless `parts` have blocks of channels. Then all channels at
    the same position of their blocks are one unit.
    """
    lowest = list(range(channels))
    for part in parts:
        first: dict[int, int] = {}
        for entry, root in zip(part.entries, part.roots, strict=True):
            if root is None:
                continue
            pair = lowest[root], lowest[first.setdefault(entry % part.axis.block, root)]
            if pair[0] != pair[1]:
                low, high = sorted(pair)
                lowest = [low if channel == high else channel for channel in lowest]
    number = {root: index for index, root in enumerate(sorted(set(lowest)))}
    return [number[root] for root in lowest]


def _places(entries: list[int], roots: list[int | None] | None, unit: list[int]) -> Tensor | None:
    """Return the entries of each unit, int64 [units, n], or None if the units differ in size."""
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


def _joined_names(kinds: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(kinds))
