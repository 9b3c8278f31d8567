"""Tensor parallel: each rank has a part of each matrix (Shoeybi et al., arXiv 1909.08053)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, fx, nn

from workbench import formatting
from workbench.domain.losses import label_loss
from workbench.parallel.rank.data_parallel import Replica
from workbench.parallel.rank.graph import PREFIX, elementwise, trace
from workbench.parallel.rank.network import trained
from workbench.parallel.rank.split import Cut, split_columns, split_rows
from workbench.parallel.rank.strategy import Setup, UnsupportedError, run
from workbench.parallel.rank.uses import read_outside

LEAST_SHARE = 0.5
"""The share of weights in layers that can be split, below which the strategy is refused."""
Splittable = nn.Linear | nn.Embedding


class TensorParallel(Replica):
    """Linear layers and embeddings are split; all ranks see all examples.

    A linear layer that feeds only elementwise operations and one more linear layer forms a pair
    with it: columns, then rows, with one all-reduce. Others gather their outputs.
    """

    def __init__(self, setup: Setup) -> None:
        layers = splittable(setup)
        pairs = _pairs(setup, layers)
        seconds = {*pairs.values()}
        self._cuts: dict[str, Cut] = {}
        for name, layer in layers.items():
            if name in seconds and isinstance(layer, nn.Linear):
                cuts = split_rows(layer, setup.rank, setup.plan.ranks)
            else:
                joined = name not in pairs
                cuts = split_columns(layer, setup.rank, setup.plan.ranks, joined=joined)
            self._cuts |= {f"{name}.{parameter}": cut for parameter, cut in cuts.items()}
        super().__init__(setup)

    def backward(self, step: int) -> float:
        """Compute the gradient of the loss of all examples."""
        self.drop_gradients()
        inputs, labels = self.setup.examples.step(step)
        loss = label_loss(run(self.module, inputs), labels)
        loss.backward()
        self.complete_gradients()
        return float(loss.detach())

    def gradients(self) -> dict[str, Tensor]:
        """Return the gradient, gathered from all ranks."""
        return self._gathered(super().gradients())

    def weights(self) -> dict[str, Tensor]:
        """Return the weights, gathered from all ranks."""
        return self._gathered(super().weights())

    def _gathered(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        return {
            name: self._cuts[name].gathered(tensor) if name in self._cuts else tensor
            for name, tensor in tensors.items()
        }


def splittable(setup: Setup) -> dict[str, Splittable]:
    """Return the layers that can be split, by name.

    Raises
    ------
    UnsupportedError
        If they hold less than half of the weights.
    """
    ranks = setup.plan.ranks
    outside = _used_outside(setup)
    layers: dict[str, Splittable] = {}
    reasons: dict[str, int] = {}
    for name, layer in setup.module.named_modules():
        if isinstance(layer, Splittable):
            reason = _why_whole(layer, outside, ranks)
            if not reason:
                layers[name] = layer
            else:
                held = sum(p.numel() for p in trained(layer).values())
                reasons[reason] = reasons.get(reason, 0) + held
    total = sum(p.numel() for p in trained(setup.module).values())
    split = sum(layer.weight.numel() for layer in layers.values())
    if split < LEAST_SHARE * total:
        largest = max(reasons, key=reasons.__getitem__, default="")
        because = f", because others {largest}" if largest else ""
        raise UnsupportedError(
            "Tensor parallel splits linear layers and embeddings, but here they hold only "
            f"{formatting.percent(split / max(1, total))} of the weights{because}; use "
            "strategy='data', 'zero3' or 'pipeline'.",
            code="parallel.few_matrices",
        )
    return layers


def _why_whole(layer: Splittable, outside: set[int], ranks: int) -> str:
    """Return why a layer is not split, or an empty string."""
    weight = layer._parameters.get("weight")  # noqa: SLF001 - not one that is computed
    if weight is None:
        return "compute their weights, such as those with weight_norm"
    if type(layer).forward not in (nn.Linear.forward, nn.Embedding.forward):
        return "have a forward pass of their own"
    if isinstance(layer, nn.Embedding) and (layer.max_norm is not None or layer.sparse):
        return "are embeddings with max_norm or sparse gradients"
    if not all(p.requires_grad for p in layer.parameters(recurse=False)):
        return "are not trained"
    if any(id(p) in outside for p in layer.parameters(recurse=False)):
        return "have weights that other layers read"
    return "are too small" if _split_size(layer) < ranks else ""


def _split_size(layer: Splittable) -> int:
    return layer.out_features if isinstance(layer, nn.Linear) else layer.embedding_dim


def _pairs(setup: Setup, layers: Mapping[str, Splittable]) -> dict[str, str]:
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
        once = called.count(name) == called.count(second) == 1
        if second in layers and once and _plain_linear(layers[name], layers[second]):
            pairs[name] = second
    return pairs


def _plain_linear(*layers: nn.Module) -> bool:
    """Return whether layers are linear and no hook sees what passes between them."""
    return all(
        isinstance(layer, nn.Linear)
        and not layer._forward_hooks  # noqa: SLF001 - it has no public name
        and not layer._forward_pre_hooks  # noqa: SLF001
        for layer in layers
    )


def _next_layer(graph: fx.GraphModule, node: fx.Node) -> str:
    while len(node.users) == 1:
        node = next(iter(node.users))
        if not elementwise(graph, node):
            return _name(node) if node.op == "call_module" else ""
    return ""


def _name(node: fx.Node) -> str:
    return str(node.target).removeprefix(PREFIX)


def _used_outside(setup: Setup) -> set[int]:
    """Return the weights that are read by other layers too, such as those of tied embeddings."""
    owners: dict[int, nn.Module] = {}
    shared: set[int] = set()
    for layer in setup.module.modules():
        for parameter in layer.parameters(recurse=False):
            if id(parameter) in owners:
                shared.add(id(parameter))
            owners[id(parameter)] = layer
    return shared | read_outside(setup, owners)
