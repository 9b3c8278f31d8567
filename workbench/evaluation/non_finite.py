"""Find the weights that make the outputs of a module NaN or infinite, and the reason.

A parametrized layer computes its weight from other tensors. `weight_norm` divides each row by its
norm (Salimans and Kingma 2016, arXiv 1602.07868), which is 0 if the full row was pruned.
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
"""Suffixes of the tensors that the older `torch.nn.utils.weight_norm` multiplies."""


def non_finite_tensors(model: Model, weights: Mapping[str, Tensor]) -> dict[str, str]:
    """Return the tensors that cause non-finite weights, each with the kind of `Reason`.

    ``not-a-number``: the tensor holds NaN or infinity, and the original does not. ``zero-norm``: a
    weight is computed from the tensor, and is not finite in rows where the tensor is zero.
    """
    original = model.weights()
    causes = {
        name: "not_a_number"
        for name, weight in weights.items()
        if not _finite(weight) and (name not in original or _finite(original[name]))
    }
    for value, sources in _computed(Shell(model).module, weights):
        if not value.is_meta and not _finite(value):
            zeroed = [name for name, source in sources.items() if _has_zero_rows(source, value)]
            causes |= dict.fromkeys(zeroed, "zero_norm")
    return causes


def _computed(
    module: nn.Module, weights: Mapping[str, Tensor]
) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
    """Yield the value of each computed weight, and its source tensors by name."""
    for path, layer in module.named_modules():
        if isinstance(layer, ParametrizationList):
            sources = _submodule_weights(weights, path)
            with torch.inference_mode():
                value = functional_call(layer, sources, ())
            yield value, {f"{path}.{name}": source for name, source in sources.items()}
    for name, direction in weights.items():
        size = weights.get(f"{name.removesuffix(DIRECTION)}{SIZE}")
        if name.endswith(DIRECTION) and size is not None and size.ndim == direction.ndim:
            axes = [axis for axis, length in enumerate(size.shape) if length == 1]
            yield direction * (size / direction.norm(dim=axes, keepdim=True)), {name: direction}


def _submodule_weights(weights: Mapping[str, Tensor], path: str) -> dict[str, Tensor]:
    prefix = f"{path}."
    return {n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)}


def _has_zero_rows(source: Tensor, value: Tensor) -> bool:
    """Whether `value` is not finite only in rows (along some axis) where `source` is zero."""
    if source.shape != value.shape:
        return False
    for axis in range(source.ndim):
        zero = (source.movedim(axis, 0).reshape(source.shape[axis], -1) == 0).all(dim=1)
        finite = value.movedim(axis, 0).reshape(source.shape[axis], -1).isfinite().all(dim=1)
        if bool(zero.any()) and bool((zero | finite).all()):
            return True
    return False


def _finite(weight: Tensor) -> bool:
    return not weight.is_floating_point() or bool(weight.isfinite().all())
