"""A network cut in two before a layer: what does not hang on the layer's weights, and the rest.

Where only one layer changes, the first part need run only once. It holds for residual networks
too: what passes the cut is every tensor that the rest asks for, beside the layer's own input.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, fx, nn
from torch.func import functional_call
from torch.fx.proxy import GraphAppendingTracer

from workbench.cache.memory import MemoryCache
from workbench.runtime.batch import Batch
from workbench.runtime.shell import Shell

if TYPE_CHECKING:
    from workbench.domain.model import Model


class Cut:
    """A model in two parts, of which the first does not use the weights of one layer."""

    def __init__(self, model: Model, layer: str) -> None:
        graph = _graph(model.module())
        late = _late(graph, layer)
        border = [node for node in graph.nodes if node not in late and late & {*node.users}]
        root = Shell(model, fast=True).module
        self._head = fx.GraphModule(root, _head(graph, border))
        self._tail = fx.GraphModule(root, _tail(graph, border, late))

    def head(self, weights: Mapping[str, Tensor], inputs: Batch) -> Batch:
        """Return what passes the cut for a batch of the model's inputs."""
        return Batch.in_channels_last(_call(self._head, weights, inputs))

    def tail(self, weights: Mapping[str, Tensor], passed: Batch) -> Tensor:
        """Return the model's outputs for what passed the cut."""
        outputs: Tensor = _call(self._tail, weights, passed)
        return outputs


def can_cut(model: Model) -> bool:
    """Whether every tensor on the way has a row for each example, so that a cut can be trusted.

    That is so in the networks for images; others make masks and positions on the way.
    """
    return model.task.input_type == "image"


_own = threading.local()
MOST_CUTS = 64
"""Kept by each thread: a scan goes through the layers of one network, again and again."""


def cut(model: Model, layer: str) -> Cut:
    """Return this thread's cut of `model` before the layer whose weight is called `layer`."""
    mine: MemoryCache[Cut] = _own.__dict__.setdefault("cuts", MemoryCache(MOST_CUTS))
    life = model.architecture.lifetime
    return mine.of((model.architecture.key, layer), lambda: Cut(model, layer), life)


def _call(part: nn.Module, weights: Mapping[str, Tensor], inputs: Batch) -> Any:
    own = {name: weights[name] for name in part.state_dict(keep_vars=True)}
    with torch.inference_mode():
        return functional_call(part, own, inputs.tensors, strict=True)


def _graph(module: nn.Module) -> fx.Graph:
    """Return what `module` computes, its innermost modules as single steps; it is used up.

    `torch.fx.symbolic_trace` would do, but it changes `nn.Module` meanwhile, for every thread.
    """
    graph = fx.Graph()
    tracer = GraphAppendingTracer(graph)

    def step(path: str) -> Any:
        return lambda *args: tracer.create_proxy("call_module", path, args, {})

    for path, leaf in module.named_modules():
        if not [*leaf.children()]:
            leaf.forward = step(path)
    outputs = module(fx.Proxy(graph.placeholder("inputs"), tracer))
    graph.output(outputs.node)
    return graph


def _late(graph: fx.Graph, layer: str) -> set[fx.Node]:
    """Return the steps that hang on the weight called `layer`."""
    path = layer.rpartition(".")[0]
    late: set[fx.Node] = set()
    for node in graph.nodes:
        itself = node.op == "call_module" and node.target == path
        if itself or late & {*node.all_input_nodes}:
            late.add(node)
    return late


def _head(graph: fx.Graph, border: list[fx.Node]) -> fx.Graph:
    """Return the steps up to `border`, whose values are its outputs."""
    needed = {*border}
    for node in reversed(graph.nodes):
        if node in needed:
            needed |= {*node.all_input_nodes}
    first, copies = fx.Graph(), dict[fx.Node, fx.Node]()
    for node in graph.nodes:
        if node in needed or node.op == "placeholder":
            copies[node] = first.node_copy(node, copies.__getitem__)
    first.output(tuple(copies[node] for node in border))
    return first


def _tail(graph: fx.Graph, border: list[fx.Node], late: set[fx.Node]) -> fx.Graph:
    """Return the steps after `border`, whose values are its inputs."""
    rest = fx.Graph()
    copies = {node: rest.placeholder(f"passed_{place}") for place, node in enumerate(border)}
    for node in graph.nodes:
        if node in late:
            copies[node] = rest.node_copy(node, copies.__getitem__)
    return rest
