"""A network cut in two: the part that does not depend on one layer's weights, and the rest.

If only that layer changes, the first part runs only once. This holds for residual networks too: the
first part passes on every tensor that the second part needs.
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
    """A model in two parts, head and tail. The head does not use the weights of `layer`."""

    def __init__(self, model: Model, layer: str) -> None:
        graph = _graph(model.module())
        late = _late(graph, layer)
        border = [node for node in graph.nodes if node not in late and late & {*node.users}]
        root = Shell(model, fast=True).module
        self._head = fx.GraphModule(root, _head(graph, border))
        self._tail = fx.GraphModule(root, _tail(graph, border, late))

    def head(self, weights: Mapping[str, Tensor], inputs: Batch) -> Batch:
        """Return the tensors at the cut for a batch of the model's inputs."""
        return Batch.in_channels_last(_call(self._head, weights, inputs))

    def tail(self, weights: Mapping[str, Tensor], intermediate: Batch) -> Tensor:
        """Return the model's outputs for the tensors at the cut."""
        outputs: Tensor = _call(self._tail, weights, intermediate)
        return outputs


def can_cut(model: Model) -> bool:
    """Return whether every intermediate tensor has a row per example, as a cut requires.

    This holds for image networks. Others compute masks and positions on the way.
    """
    return model.task.input_type == "image"


_thread = threading.local()
MOST_CUTS = 64
"""Number of cuts cached by each thread. A scan visits the layers of one network repeatedly."""


def cut(model: Model, layer: str) -> Cut:
    """Return this thread's cut of `model` before the layer with the weight `layer`."""
    cuts: MemoryCache[Cut] = _thread.__dict__.setdefault("cuts", MemoryCache(MOST_CUTS))
    lifetime = model.architecture.lifetime
    return cuts.of((model.architecture.key, layer), lambda: Cut(model, layer), lifetime)


def _call(part: nn.Module, weights: Mapping[str, Tensor], inputs: Batch) -> Any:
    tensors = {name: weights[name] for name in part.state_dict(keep_vars=True)}
    with torch.inference_mode():
        return functional_call(part, tensors, inputs.tensors, strict=True)


def _graph(module: nn.Module) -> fx.Graph:
    """Return the graph of `module` with its leaf modules as nodes. `module` is unusable afterwards.

    `torch.fx.symbolic_trace` is not thread-safe: it patches `nn.Module` while it traces.
    """
    graph = fx.Graph()
    tracer = GraphAppendingTracer(graph)

    def record(path: str) -> Any:
        return lambda *args: tracer.create_proxy("call_module", path, args, {})

    for path, leaf in module.named_modules():
        if not [*leaf.children()]:
            leaf.forward = record(path)
    outputs = module(fx.Proxy(graph.placeholder("inputs"), tracer))
    graph.output(outputs.node)
    return graph


def _late(graph: fx.Graph, layer: str) -> set[fx.Node]:
    """Return the nodes that depend on the weight called `layer`."""
    path = layer.rpartition(".")[0]
    late: set[fx.Node] = set()
    for node in graph.nodes:
        is_layer = node.op == "call_module" and node.target == path
        if is_layer or late & {*node.all_input_nodes}:
            late.add(node)
    return late


def _head(graph: fx.Graph, border: list[fx.Node]) -> fx.Graph:
    """Return the graph up to the nodes `border`, which are its outputs."""
    needed = {*border}
    for node in reversed(graph.nodes):
        if node in needed:
            needed |= {*node.all_input_nodes}
    head, copies = fx.Graph(), dict[fx.Node, fx.Node]()
    for node in graph.nodes:
        if node in needed or node.op == "placeholder":
            copies[node] = head.node_copy(node, copies.__getitem__)
    head.output(tuple(copies[node] for node in border))
    return head


def _tail(graph: fx.Graph, border: list[fx.Node], late: set[fx.Node]) -> fx.Graph:
    """Return the graph after the nodes `border`, which are its inputs."""
    tail = fx.Graph()
    copies = {node: tail.placeholder(f"border_{number}") for number, node in enumerate(border)}
    for node in graph.nodes:
        if node in late:
            copies[node] = tail.node_copy(node, copies.__getitem__)
    return tail
