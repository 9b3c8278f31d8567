"""torch-pruning's dependency graph of a network, with a limit on the steps for each group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from workbench.compression.channels import UnprunedLayers
from workbench.graph.display_names import DisplayNames, summarize_error
from workbench.graph.layer_axes import PRODUCT_LAYERS

MOST_STEPS = 2_000
"""Steps through the graph for one group. A DenseNet of 58 layers takes 222."""
FEWEST_STEPS = 400
"""The lower limit of steps after many groups did not terminate."""
MOST_ENTRIES = 500_000
"""Tensor entries that are followed in all steps for one group."""


class StepLimit:
    """Limits the steps through a graph, because torch-pruning may not terminate.

    If slices are concatenated again, as in rotary embeddings, it maps the same channels to new
    indices forever. If images are flattened and unfolded again, it maps them to ever more indices.
    """

    def __init__(self, graph: Any) -> None:
        self._remaining = self._entries = 0
        self._endless = 0
        for node in graph.module2node.values():
            for dependency in node.dependencies:
                dependency.index_mapping.append(self)  # called at each step

    def start(self) -> None:
        """Reset the limits for a new group."""
        self._entries = MOST_ENTRIES
        self._remaining = max(FEWEST_STEPS, MOST_STEPS // (1 + self._endless))

    def __call__(self, channels: Any) -> Any:
        """Return `channels`, or raise `RecursionError` after too many steps."""
        self._remaining -= 1
        self._entries -= len(channels)
        if min(self._remaining, self._entries) < 0:
            self._endless += 1
            raise RecursionError("the channels cannot be followed to an end")
        return channels


def dependency_graph(module: nn.Module, example: Any, names: DisplayNames) -> Any:
    """Return the dependency graph of `module`, traced on `example`.

    Any exception of torch-pruning is propagated.
    """
    import torch_pruning

    arguments = (example,) if isinstance(example, Tensor) else example
    with torch.enable_grad(), names.watching():  # the graph is derived from autograd's
        return torch_pruning.DependencyGraph().build_dependency(module, arguments)


def coupled_groups(graph: Any, names: DisplayNames) -> Iterator[Any]:
    """Yield the groups of the graph, and `UnprunedLayers` where a group cannot be found."""
    limit = StepLimit(graph)
    seen: set[int] = set()
    for layer in list(graph.module2node):
        if not isinstance(layer, PRODUCT_LAYERS) or id(layer) in seen:
            continue
        pruner = graph.get_pruner_of_module(layer)
        outputs = list(range(pruner.get_out_channels(layer)))
        limit.start()
        try:
            group = graph.get_pruning_group(layer, pruner.prune_out_channels, outputs)
        except Exception as error:  # noqa: BLE001 - user modules may fail in any way
            yield UnprunedLayers(names.weights(layer), "graph", summarize_error(error))
            continue
        parts = (item.dep for item in group)
        seen |= {id(p.target.module) for p in parts if graph.is_out_channel_pruning_fn(p.handler)}
        if outputs:
            yield group
