"""Tensor parallel: each rank has a part of each matrix (Shoeybi et al., arXiv 1909.08053)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import fx, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.overrides import TorchFunctionMode

from workbench import formatting
from workbench.domain.losses import label_loss
from workbench.parallel.rank.distributed_replica import DistributedReplica
from workbench.parallel.rank.graph import PREFIX, elementwise, trace
from workbench.parallel.rank.network import trained
from workbench.parallel.rank.strategy import Setup, UnsupportedError, run

LEAST_SHARE = 0.5
"""The share of weights in layers that can be split, below which the strategy is refused."""


class TensorParallel(DistributedReplica):
    """Linear layers and embeddings are split; all ranks see all examples.

    A linear layer that feeds only elementwise operations and one more linear layer forms a pair
    with it: columns, then rows, with one all-reduce. Others gather their outputs.
    """

    def __init__(self, setup: Setup) -> None:
        from torch.distributed.tensor import Replicate
        from torch.distributed.tensor.parallel import (
            ColwiseParallel,
            RowwiseParallel,
            parallelize_module,
        )

        layers = splittable(setup)
        pairs = _pairs(setup, layers)
        plan: dict[str, Any] = {
            name: ColwiseParallel(output_layouts=Replicate()) for name in layers
        }
        for first, second in pairs.items():
            plan[first], plan[second] = ColwiseParallel(), RowwiseParallel()
        mesh = DeviceMesh("cpu", torch.arange(setup.plan.ranks))
        parallelize_module(setup.module, mesh, plan)
        super().__init__(setup)

    def backward(self, step: int) -> float:
        """Compute the gradient of the loss of all examples."""
        self.optimizer.zero_grad()
        inputs, labels = self.setup.examples.step(step)
        loss = label_loss(run(self.module, inputs), labels)
        loss.backward()
        return float(loss.detach())


def splittable(setup: Setup) -> dict[str, nn.Linear | nn.Embedding]:
    """Return the layers that can be split, by name.

    Raises
    ------
    UnsupportedError
        If they hold less than half of the weights.
    """
    ranks = setup.plan.ranks
    used_elsewhere = _used_outside(setup)
    layers: dict[str, nn.Linear | nn.Embedding] = {
        name: layer
        for name, layer in setup.module.named_modules()
        if isinstance(layer, nn.Linear | nn.Embedding)
        and id(layer.weight) not in used_elsewhere
        and layer.weight.requires_grad
        and _split_size(layer) >= ranks
    }
    total = sum(p.numel() for p in trained(setup.module).values())
    split = sum(layer.weight.numel() for layer in layers.values())
    if split < LEAST_SHARE * total:
        raise UnsupportedError(
            "Tensor parallel splits linear layers and embeddings, but here they hold only "
            f"{formatting.percent(split / max(1, total))} of the weights; use strategy='data', "
            "'zero3' or 'pipeline'.",
            code="parallel.few_matrices",
        )
    return layers


def _split_size(layer: nn.Linear | nn.Embedding) -> int:
    return layer.out_features if isinstance(layer, nn.Linear) else layer.embedding_dim


def _pairs(setup: Setup, layers: Mapping[str, nn.Linear | nn.Embedding]) -> dict[str, str]:
    """Return the linear layers that form pairs, the first by the second."""
    try:
        graph = trace(setup.module, setup.examples.sample[:1])
    except UnsupportedError:
        return {}
    called = [_name(node) for node in graph.graph.nodes if node.op == "call_module"]
    pairs: dict[str, str] = {}
    for node in graph.graph.nodes:
        name = _name(node)
        if node.op != "call_module" or name not in layers or name in pairs.values():
            continue
        second = _next_layer(graph, node)
        if second in layers and called.count(name) == called.count(second) == 1:
            linear = isinstance(layers[name], nn.Linear) and isinstance(layers[second], nn.Linear)
            # DTensor takes the part of rank 0 times the ranks for the size of what lies between
            if linear and _split_size(layers[name]) % setup.plan.ranks == 0:
                pairs[name] = second
    return pairs


def _next_layer(graph: fx.GraphModule, node: fx.Node) -> str:
    while len(node.users) == 1:
        node = next(iter(node.users))
        if not elementwise(graph, node):
            return _name(node) if node.op == "call_module" else ""
    return ""


def _name(node: fx.Node) -> str:
    return str(node.target).removeprefix(PREFIX)


class _Uses(TorchFunctionMode):
    """Notes the parameters that are read outside of the forward pass of their layer."""

    def __init__(self, owners: Mapping[int, nn.Module], active: Sequence[nn.Module]) -> None:
        super().__init__()
        self._owners, self._active = owners, active
        self.outside: set[int] = set()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        for value in (*args, *(kwargs or {}).values()):
            owner = self._owners.get(id(value))
            if owner is not None and not any(owner is layer for layer in self._active):
                self.outside.add(id(value))
        return func(*args, **(kwargs or {}))


def _used_outside(setup: Setup) -> set[int]:
    """Return the weights that are read by other layers too, such as those of tied embeddings."""
    owners: dict[int, nn.Module] = {}
    shared: set[int] = set()
    for layer in setup.module.modules():
        for parameter in layer.parameters(recurse=False):
            if id(parameter) in owners:
                shared.add(id(parameter))
            owners[id(parameter)] = layer
    active: list[nn.Module] = []
    uses = _Uses(owners, active)
    with _tracking(setup.module, active), uses, torch.no_grad():
        run(setup.module, setup.examples.sample[:1])
    return shared | uses.outside


@contextmanager
def _tracking(module: nn.Module, active: list[nn.Module]) -> Iterator[None]:
    """Keep in `active` the layers whose forward pass runs."""
    handles = []
    for layer in module.modules():
        handles.append(layer.register_forward_pre_hook(lambda layer, _args: active.append(layer)))
        handles.append(layer.register_forward_hook(lambda *_args: _drop(active)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _drop(active: list[nn.Module]) -> None:
    active.pop()
