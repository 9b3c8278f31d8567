"""What a file's module costs to run, looked up where it is the original's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import torch

from workbench.artifact.form import UNCHANGED
from workbench.evaluation.resources import macs, peak_memory
from workbench.zoo import Model

Shapes = tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Cost:
    """Multiply-adds of an example, and bytes of weights and activations over a batch of 64."""

    macs: int
    peak_memory: int


def cost(model: Model, shapes: Mapping[str, tuple[int, ...]]) -> Cost:
    """Return what `model` costs in its form, with tensors of `shapes`.

    Only removed channels change it: batch norm that is folded is counted as if it were there, and
    rounded inputs as if they were not.
    """
    plain = replace(model, form=UNCHANGED)
    whole = model.card["tensors"]
    if not model.form.narrowed:
        return Cost(model.card["macs"], model.card["peak_memory"])
    norms = {norm: shapes[f"{layer}.weight"][0] for norm, layer in model.form.folded}
    sizes = {name: shapes.get(name) or _as_layer(name, size, norms) for name, size in whole.items()}
    return _counted(plain, tuple(sizes.items()))


def _as_layer(name: str, size: list[int], norms: Mapping[str, int]) -> tuple[int, ...]:
    """Return the shape that a tensor of a folded batch norm would have beside its layer."""
    return (norms[name.rpartition(".")[0]],) if size else ()


@lru_cache(maxsize=256)
def _counted(model: Model, shapes: Shapes) -> Cost:
    originals = model.weights()
    zeros = {name: torch.zeros(shape, dtype=originals[name].dtype) for name, shape in shapes}
    return Cost(macs(model, zeros), peak_memory(model, zeros))
