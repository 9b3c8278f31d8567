"""Mark the inputs and outputs of layers in a module, so that an exported graph shows them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import Tensor, nn

from workbench.artifact.module_spec import InputQParams, ModuleSpec
from workbench.runtime.build import FOLD_TARGETS, is_standard_layer
from workbench.runtime.integer_layers import centered_codes

DOMAIN, OPERATOR = "workbench", "Mark"
Rounding = Callable[[Tensor, str, bool], Tensor]


def mark(values: Tensor, path: str, leaving: bool) -> Tensor:
    """Return `values`; in an ONNX graph this is a node with the path of a layer."""
    marked: Tensor = torch.onnx.ops.symbolic(
        f"{DOMAIN}::{OPERATOR}",
        (values,),
        {"path": path, "leaving": int(leaving)},
        dtype=values.dtype,
        shape=values.shape,
        version=1,
    )
    return marked


class Rounded:
    """Round values as a file does, in the dtype of the values."""

    def __init__(self, spec: ModuleSpec) -> None:
        self._qparams: dict[bool, dict[str, InputQParams]] = {
            False: dict(spec.inputs),
            True: dict(spec.outputs),
        }

    def __call__(self, values: Tensor, path: str, leaving: bool) -> Tensor:
        """Return the nearest values that the codes of the layer `path` represent."""
        qparams = self._qparams[leaving].get(path)
        return values if qparams is None else centered_codes(values, qparams) * qparams.scale


def mark_convolutions(module: nn.Module, names: Collection[str]) -> nn.Module:
    """Mark the outputs of convolutions of a private `module` whose weights are among `names`.

    The exporter then does not merge their weights with a batch norm.
    """
    for path, layer in module.named_modules():
        if f"{path}.weight" in names and is_standard_layer(layer, FOLD_TARGETS):
            setattr(layer, "forward", _Before(layer.forward, path))  # noqa: B010
    return module


def around_layers(module: nn.Module, spec: ModuleSpec, rounding: Rounding) -> nn.Module:
    """Apply `rounding` to the inputs and outputs of the quantized layers of a private `module`."""
    for path, _qparams in spec.inputs:
        layer = module.get_submodule(path)
        setattr(layer, "forward", _Around(layer.forward, path, rounding))  # noqa: B010
    return module


class _Before:
    """The forward of a layer before a mark."""

    def __init__(self, forward: Callable[..., Tensor], path: str) -> None:
        self._forward, self._path = forward, path

    def __call__(self, *inputs: Any, **options: Any) -> Tensor:
        return mark(self._forward(*inputs, **options), self._path, True)


class _Around:
    """The forward of a layer between two calls of a function."""

    def __init__(self, forward: Callable[[Tensor], Tensor], path: str, rounding: Rounding) -> None:
        self._forward, self._path, self._rounding = forward, path, rounding

    def __call__(self, inputs: Tensor) -> Tensor:
        outputs = self._forward(self._rounding(inputs, self._path, False))
        return self._rounding(outputs, self._path, True)
