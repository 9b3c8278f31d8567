"""torch-pruning's dependency graph of a network, group by group, each followed to an end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from workbench.compression.channels import UnprunedLayers
from workbench.graph.display_names import DisplayNames, summarize_error
from workbench.graph.layer_axes import PRODUCT_LAYERS

MOST_STEPS = 2_000
"""Steps through the graph for one group; a DenseNet of 58 layers takes 222."""
FEWEST_STEPS = 400
"""What is left of that when many groups have had no end."""


MOST_ENTRIES = 500_000
"""Entries of tensors that are followed in all steps for one group."""


class StepLimit:
    """Counts the steps through a graph, in which torch-pruning may go in circles.

    Where slices are joined again, as in rotary embeddings, it maps the same channels to ever new
    numbers; where pictures are flattened and unfolded again, to ever more.
    """

    def __init__(self, graph: Any) -> None:
        self._left = self._entries = 0
        self._endless = 0
        for node in graph.module2node.values():
            for dependency in node.dependencies:
                dependency.index_mapping.append(self)  # called at each step with the channels

    def start(self) -> None:
        """Begin a new group."""
        self._entries = MOST_ENTRIES
        self._left = max(FEWEST_STEPS, MOST_STEPS // (1 + self._endless))

    def __call__(self, channels: Any) -> Any:
        """Return `channels` as they are, or raise `RecursionError` after too many steps."""
        self._left -= 1
        self._entries -= len(channels)
        if min(self._left, self._entries) < 0:
            self._endless += 1
            raise RecursionError("the channels are followed in circles")
        return channels


def dependency_graph(module: nn.Module, example: Any, names: DisplayNames) -> Any:
    """Return the graph of `module` run on `example`; whatever torch-pruning raises is raised."""
    import torch_pruning

    arguments = (example,) if isinstance(example, Tensor) else example
    with torch.enable_grad(), names.watching():  # the graph is read off autograd's
        return torch_pruning.DependencyGraph().build_dependency(module, arguments)


def coupled_groups(graph: Any, names: DisplayNames) -> Iterator[Any]:
    """Yield the groups of the graph; for a layer whose group it cannot tell, why it stays whole."""
    steps = StepLimit(graph)
    met: set[int] = set()
    for layer in list(graph.module2node):
        if not isinstance(layer, PRODUCT_LAYERS) or id(layer) in met:
            continue
        pruner = graph.get_pruner_of_module(layer)
        outputs = list(range(pruner.get_out_channels(layer)))
        steps.start()
        try:
            found = graph.get_pruning_group(layer, pruner.prune_out_channels, outputs)
        except Exception as error:  # noqa: BLE001 - it meets whatever people build
            yield UnprunedLayers(names.weights(layer), "graph", summarize_error(error))
            continue
        parts = (item.dep for item in found)
        met |= {id(p.target.module) for p in parts if graph.is_out_channel_pruning_fn(p.handler)}
        if outputs:
            yield found
