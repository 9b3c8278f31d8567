"""Find convolutions whose outputs are added to other outputs, as in residual networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from workbench.domain.model import Model
from workbench.runtime.batch import Batch, call
from workbench.runtime.build import PRODUCT_LAYERS, is_standard_layer
from workbench.runtime.nested import tensors_in
from workbench.runtime.unfused import unfuse

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d)
ADDITIONS = frozenset(
    {torch.add, Tensor.add, Tensor.add_, Tensor.__add__, Tensor.__iadd__, Tensor.__radd__}
)
RECTIFIERS = frozenset(
    {torch.relu, torch.relu_, Tensor.relu, Tensor.relu_, nn.functional.relu, nn.functional.relu_}
)
PASSING = RECTIFIERS | {
    nn.functional.max_pool1d,
    nn.functional.max_pool2d,
    nn.functional.dropout,
    nn.functional.dropout2d,
}
"""Functions that keep the order of values, so that a quantized value stays one of few values."""


def summed_outputs(model: Model, weights: Mapping[str, Tensor], inputs: Batch) -> dict[str, bool]:
    """Return the convolutions whose outputs are an operand of a sum of two tensors of one shape.

    Each has whether all that reads the outputs first sets negative values to zero. They are found
    by running `model` with `weights` once.
    """
    module = unfuse(model.module())
    recorder = _SumRecorder()

    def begin(_module: nn.Module, _args: Any) -> None:  # the weights are swapped in by now
        recorder.weights = {
            id(layer.weight): path
            for path, layer in module.named_modules()
            if is_standard_layer(layer, PRODUCT_LAYERS) and isinstance(layer, CONVOLUTIONS)
        }

    module.register_forward_pre_hook(begin)
    with torch.no_grad(), recorder:
        call(module, weights, inputs)
    return {path: recorder.rectified[path] for path in recorder.summed}


class _SumRecorder(TorchFunctionMode):
    """Follows the outputs of convolutions to sums."""

    def __init__(self) -> None:
        super().__init__()
        self.weights: Mapping[int, str] = {}
        self.summed: dict[str, None] = {}
        self.rectified: dict[str, bool] = {}
        self._origins: dict[int, tuple[str, Tensor, bool]] = {}
        """A layer's path, a tensor with its outputs, and whether these went through a function, by
        identity. The tensors are kept alive, because an identity may be reused later."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        inputs = [*tensors_in((args, kwargs or {}))]
        origins = [self._origins.get(id(tensor)) for tensor in inputs]
        results = func(*args, **(kwargs or {}))
        outputs = [*tensors_in(results)]
        if not outputs:  # the call returned a shape or a dtype
            return results
        for origin in origins:
            if origin is not None and not origin[2]:
                path = origin[0]
                self.rectified[path] = self.rectified.get(path, True) and func in RECTIFIERS
        operands = [tensor.shape for tensor in inputs]
        if func in ADDITIONS and len(operands) == 2 and operands[0] == operands[1]:
            self.summed |= {origin[0]: None for origin in origins if origin is not None}
        layers = [self.weights[id(tensor)] for tensor in inputs if id(tensor) in self.weights]
        for tensor in outputs:
            if layers:
                self._origins[id(tensor)] = (layers[0], tensor, False)
            elif func in PASSING and origins and origins[0] is not None:
                self._origins[id(tensor)] = (origins[0][0], tensor, True)
            else:
                self._origins.pop(id(tensor), None)
        return results
