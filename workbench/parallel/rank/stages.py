"""Cutting a network into stages of about equal cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Any

import torch
from torch import Tensor, fx, nn

from workbench.parallel.rank.digest import distance
from workbench.parallel.rank.graph import Recorder, has_weights, operations
from workbench.parallel.rank.network import trained
from workbench.parallel.rank.strategy import UnsupportedError, gradients_of, run
from workbench.runtime.batch import Batch, outputs_of

TOLERANCE = 1e-4
"""Relative L2 difference between the stages and the network; a smaller one is only rounding."""


@dataclass
class Stage:
    """One stage of a pipeline: consecutive operations of a network.

    Attributes
    ----------
    module : GraphModule
        Takes the network's inputs, then the tensors that the previous stage returns. Returns the
        tensors for the next stage, or, in the last stage, the network's outputs.
    cost : int
        The estimated cost of its operations.
    """

    module: fx.GraphModule
    cost: int


def cut(module: nn.Module, count: int, inputs: Batch, microbatch: int) -> list[Stage]:
    """Cut a network into `count` stages of about equal cost.

    Costs are estimated from the sizes of the operations. They are not timed, so that all ranks cut
    the network at the same places.

    Parameters
    ----------
    module
        The network.
    count
        The number of stages.
    inputs
        At least `EXAMPLES` examples.
    microbatch
        The number of examples that a stage processes at a time.

    Raises
    ------
    UnsupportedError
        If the network cannot be traced, has too few layers with weights, or if the stages do not
        compute the same outputs and gradients as the network.
    """
    graph = operations(module, inputs)
    recorder = Recorder(graph, microbatch / len(inputs))
    arguments = [
        inputs.tensors[number]
        for number, _node in enumerate(_placeholders(graph.graph))
        if number < len(inputs.tensors)
    ]
    with torch.no_grad():
        recorder.run(*arguments)
    nodes = [node for node in graph.graph.nodes if node.op not in ("placeholder", "output")]
    free = _from_inputs_alone(graph)
    order = [node for node in nodes if node not in free]
    weighted = [has_weights(graph, node) for node in order]
    if sum(weighted) < count:
        raise UnsupportedError(
            f"A pipeline of {count} stages needs {count} layers with weights, but the network has "
            f"{sum(weighted)}: use fewer ranks or another schedule.",
            code="parallel.too_few_layers",
        )
    allowed = [
        all(recorder.carries[node] for node in _crossing(order, position))
        for position in range(len(order) + 1)
    ]
    costs = [recorder.cost[node] for node in order]
    borders = _balanced(costs, weighted, allowed, count)
    stages = [
        Stage(_part(graph, order, start, end, free), sum(costs[start:end]))
        for start, end in pairwise(borders)
    ]
    _check(stages, module, inputs)
    return stages


def _check(stages: Sequence[Stage], module: nn.Module, inputs: Batch) -> None:
    """Raise `UnsupportedError` if the outputs or gradients of the stages differ from the network's.

    Two causes are known. A change in place of a view is lost if the tensor itself is in another
    stage, and tracing loses the backward pass of a custom autograd function.
    """

    def by_network(tensors: Sequence[Tensor]) -> Tensor:
        return run(module, inputs.with_tensors(tensors))

    def by_stages(tensors: Sequence[Tensor]) -> Tensor:
        values: Any = ()
        for stage in stages:
            values = stage.module(*tensors, *(value.clone() for value in values))
        outputs: Tensor = outputs_of(values)
        return outputs

    expected, computed = (_results(forward, module, inputs) for forward in (by_network, by_stages))
    for reference, values in zip(expected, computed, strict=True):
        difference = distance(values, reference)
        if isfinite(distance(reference, reference)) and not difference <= TOLERANCE:
            raise UnsupportedError(
                "The stages do not compute the same values as the network, because it changes "
                "views or copies of its inputs in place, or has a custom backward pass: use "
                "operations that return new tensors and PyTorch's own functions, or use "
                "strategy='data' or 'zero3'.",
                code="parallel.stages_differ",
            )


def _results(
    forward: Callable[[Sequence[Tensor]], Tensor], module: nn.Module, inputs: Batch
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the outputs, and the gradients of their sum with a different factor for each."""
    outputs = forward([tensor.clone() for tensor in inputs.tensors])
    parameters = trained(module)
    if outputs.requires_grad:
        outputs.flatten().dot(torch.linspace(1, 2, outputs.numel())).backward()
    gradients = gradients_of(parameters)
    for parameter in parameters.values():
        parameter.grad = None
    return {"": outputs.detach()}, gradients


def _placeholders(graph: fx.Graph) -> list[fx.Node]:
    return [node for node in graph.nodes if node.op == "placeholder"]


def _from_inputs_alone(graph: fx.GraphModule) -> set[fx.Node]:
    """Return the nodes that need only the inputs and no layer with weights, such as masks.

    Nodes that read an attribute of the module are included. Each stage repeats these nodes.
    """
    free: set[fx.Node] = set()
    for node in graph.graph.nodes:
        if node.op in ("placeholder", "output"):
            continue
        sources = [n for n in node.all_input_nodes if n.op != "placeholder"]
        from_inputs = all(source in free for source in sources) and not has_weights(graph, node)
        if node.op == "get_attr" or from_inputs:
            free.add(node)
    return free


def _crossing(order: Sequence[fx.Node], position: int) -> list[fx.Node]:
    """Return the nodes before a position of `order` whose values are used at or after it."""
    before = set(order[:position])
    after = [node for node in order if node not in before]
    used = {source for node in after for source in node.all_input_nodes}
    output = {
        source for node in order for user in node.users if user.op == "output" for source in [node]
    }
    return [node for node in order[:position] if node in used | output]


def _balanced(
    costs: Sequence[int], weighted: Sequence[bool], allowed: Sequence[bool], count: int
) -> list[int]:
    """Return the borders of `count` parts whose largest cost is as small as possible."""
    size = len(costs)
    sums = [0]
    layers = [0]
    for cost, weighs in zip(costs, weighted, strict=True):
        sums.append(sums[-1] + cost)
        layers.append(layers[-1] + weighs)
    best: list[dict[int, tuple[int, int]]] = [{0: (0, 0)}]
    for number in range(1, count + 1):
        row: dict[int, tuple[int, int]] = {}
        for end in range(1, size + 1):
            if (not allowed[end] and end < size) or (number == count and end != size):
                continue
            options = [
                (max(cost, sums[end] - sums[start]), start)
                for start, (cost, _before) in best[-1].items()
                if start < end and layers[end] > layers[start]
            ]
            if options:
                row[end] = min(options)
        best.append(row)
    if size not in best[count]:
        raise UnsupportedError(
            f"The network cannot be cut into {count} stages, because values other than "
            "floating-point tensors would pass between them: use fewer ranks.",
            code="parallel.too_few_layers",
        )
    borders = [size]
    for number in range(count, 0, -1):
        borders.append(best[number][borders[-1]][1])
    return borders[::-1]


def _part(
    graph: fx.GraphModule, order: Sequence[fx.Node], start: int, end: int, free: set[fx.Node]
) -> fx.GraphModule:
    """Return the operations from `start` to `end` as a module."""
    part, copies = fx.Graph(), dict[fx.Node, fx.Node]()
    for node in _placeholders(graph.graph):
        copies[node] = part.placeholder(node.name)
    received = _crossing(order, start)
    for node in received:
        copies[node] = part.placeholder(f"received_{node.name}")
    needed = {*order[start:end]}
    used = {source for node in needed for source in node.all_input_nodes}
    last = end == len(order)
    output = next(node for node in graph.graph.nodes if node.op == "output")
    if last:
        used |= {*output.all_input_nodes}
    repeated = _closure(used & free, free)
    for node in graph.graph.nodes:
        if node in needed or node in repeated:
            copies[node] = part.node_copy(node, copies.__getitem__)
    if last:
        part.node_copy(output, copies.__getitem__)
    else:
        part.output(tuple(copies[node] for node in _crossing(order, end)))
    return fx.GraphModule(graph, part)


def _closure(nodes: set[fx.Node], free: set[fx.Node]) -> set[fx.Node]:
    pending, closed = [*nodes], set[fx.Node]()
    while pending:
        node = pending.pop()
        if node in free and node not in closed:
            closed.add(node)
            pending += node.all_input_nodes
    return closed
