"""Multiply-adds and memory of a compressed model; read from the card if unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from workbench.cache.memory import MemoryCache
from workbench.domain import Model
from workbench.domain.module_tensors import tensors_of
from workbench.profiling.resources import macs, peak_memory
from workbench.runtime.shell import Shell

Shapes = tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Cost:
    """Multiply-adds per example, and peak bytes of weights and activations for a batch of 64."""

    macs: int
    peak_memory: int


_costs: MemoryCache[Cost] = MemoryCache(256)


def module_cost(model: Model, shapes: Mapping[str, tuple[int, ...]]) -> Cost:
    """Return the cost of `model` with tensors of `shapes`.

    Only a changed structure changes the cost: folded batch norm is still counted, and activation
    quantization is not.
    """
    if not model.spec.smaller:
        return Cost(model.card["macs"], model.card["peak_memory"])
    unfolded = model.with_spec(replace(model.spec, folded=(), inputs=()))
    original = {n: tuple(t.shape) for n, t in tensors_of(Shell(unfolded).module).items()}
    norms = {norm: shapes[f"{layer}.bias"][0] for norm, layer in model.spec.folded}
    full = {n: shapes.get(n) or _norm_shape(n, size, norms) for n, size in original.items()}
    key = unfolded.key, (items := tuple(full.items()))
    return _costs.of(key, lambda: _measure(unfolded, items), unfolded.architecture.lifetime)


def _norm_shape(name: str, shape: tuple[int, ...], norms: Mapping[str, int]) -> tuple[int, ...]:
    """Return the shape of a tensor of a folded batch norm, to match its layer."""
    return (norms[name.rpartition(".")[0]],) if shape else ()


def _measure(model: Model, shapes: Shapes) -> Cost:
    dtypes = {name: tensor.dtype for name, tensor in tensors_of(Shell(model).module).items()}
    zeros = {name: torch.zeros(shape, dtype=dtypes[name]) for name, shape in shapes}
    return Cost(macs(model, zeros), peak_memory(model, zeros))
