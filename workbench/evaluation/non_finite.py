"""Which weights of a file's module are not finite numbers, and why: what its outputs then are, too.

A parametrized layer computes its weight from other tensors. `weight_norm` divides each row by its
norm (Salimans and Kingma 2016, arXiv 1602.07868), which is 0 where all of the row was pruned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils.parametrize import ParametrizationList

from workbench.domain import Model
from workbench.runtime.shell import Shell

DIRECTION, SIZE = "_v", "_g"
"""Ends of the names of tensors that the older `torch.nn.utils.weight_norm` multiplies."""


def non_finite_tensors(model: Model, weights: Mapping[str, Tensor]) -> dict[str, str]:
    """Return the tensors to blame for what is not finite, each with the kind of its reason.

    ``not-a-number``: it holds NaN or infinity, and in the original it does not. ``zero-norm``: a
    weight is computed from it, and is not finite where all of a row of it is zero.
    """
    own = model.weights()
    found = {
        name: "not-a-number"
        for name, weight in weights.items()
        if not _finite(weight) and (name not in own or _finite(own[name]))
    }
    for value, parts in _computed(Shell(model).module, weights):
        if not value.is_meta and not _finite(value):
            bare = [name for name, part in parts.items() if _has_zero_rows(part, value)]
            found |= dict.fromkeys(bare, "zero-norm")
    return found


def _computed(
    module: nn.Module, weights: Mapping[str, Tensor]
) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
    """Yield the value of each weight that is computed, and the tensors by name that it is of."""
    for path, layer in module.named_modules():
        if isinstance(layer, ParametrizationList):
            inside = _inside(weights, path)
            with torch.inference_mode():
                value = functional_call(layer, inside, ())
            yield value, {f"{path}.{name}": part for name, part in inside.items()}
    for name, direction in weights.items():
        size = weights.get(f"{name.removesuffix(DIRECTION)}{SIZE}")
        if name.endswith(DIRECTION) and size is not None and size.ndim == direction.ndim:
            axes = [axis for axis, length in enumerate(size.shape) if length == 1]
            yield direction * (size / direction.norm(dim=axes, keepdim=True)), {name: direction}


def _inside(weights: Mapping[str, Tensor], path: str) -> dict[str, Tensor]:
    start = f"{path}."
    return {n.removeprefix(start): w for n, w in weights.items() if n.startswith(start)}


def _has_zero_rows(part: Tensor, value: Tensor) -> bool:
    """Whether `value` is not finite in rows along some axis alone, of which `part` has nothing."""
    if part.shape != value.shape:
        return False
    for axis in range(part.ndim):
        zero = (part.movedim(axis, 0).reshape(part.shape[axis], -1) == 0).all(dim=1)
        strange = ~value.movedim(axis, 0).reshape(part.shape[axis], -1).isfinite().all(dim=1)
        if bool(zero.any()) and bool((zero | ~strange).all()):
            return True
    return False


def _finite(weight: Tensor) -> bool:
    return not weight.is_floating_point() or bool(weight.isfinite().all())
