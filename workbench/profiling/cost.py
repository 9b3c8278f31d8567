"""What a file's module costs to run, looked up where it is the original's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from workbench.cache.memory import MemoryCache
from workbench.domain import Model
from workbench.domain.user_architecture import tensors_of
from workbench.profiling.resources import macs, peak_memory
from workbench.runtime.shell import Shell

Shapes = tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Cost:
    """Multiply-adds of an example, and bytes of weights and activations over a batch of 64."""

    macs: int
    peak_memory: int


_costs: MemoryCache[Cost] = MemoryCache(256)


def module_cost(model: Model, shapes: Mapping[str, tuple[int, ...]]) -> Cost:
    """Return what `model` costs in its form, with tensors of `shapes`.

    Only another structure changes it: batch norm that is folded is counted as if it were there, and
    rounded inputs as if they were not.
    """
    if not model.spec.smaller:
        return Cost(model.card["macs"], model.card["peak_memory"])
    built = replace(model.spec, folded=(), inputs=())
    plain = model.with_spec(built)
    whole = {n: tuple(t.shape) for n, t in tensors_of(Shell(plain).module).items()}
    norms = {norm: shapes[f"{layer}.bias"][0] for norm, layer in model.spec.folded}
    sizes = {name: shapes.get(name) or _as_layer(name, size, norms) for name, size in whole.items()}
    counted = tuple(sizes.items())
    key = plain.key, counted
    return _costs.of(key, lambda: _counted(plain, counted), plain.architecture.lifetime)


def _as_layer(name: str, size: tuple[int, ...], norms: Mapping[str, int]) -> tuple[int, ...]:
    """Return the shape that a tensor of a folded batch norm would have beside its layer."""
    return (norms[name.rpartition(".")[0]],) if size else ()


def _counted(model: Model, shapes: Shapes) -> Cost:
    kinds = {name: tensor.dtype for name, tensor in tensors_of(Shell(model).module).items()}
    zeros = {name: torch.zeros(shape, dtype=kinds[name]) for name, shape in shapes}
    return Cost(macs(model, zeros), peak_memory(model, zeros))
