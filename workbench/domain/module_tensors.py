"""The tensors of a module that a file holds, by name."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from workbench.compression.coded import BUFFERS
from workbench.runtime.batch import HALF_DTYPES


def stored_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Return the parameters and buffers that a file holds, by name; tied ones once.

    Unsaved and sparse buffers are not included.
    """
    tensors: dict[str, Tensor] = dict(module.named_parameters())
    unsaved = {
        f"{path}.{name}".removeprefix(".")
        for path, layer in module.named_modules()
        for name in layer._non_persistent_buffers_set  # noqa: SLF001 - has no public name
    }
    tensors |= {
        name: buffer
        for name, buffer in module.named_buffers()
        if name not in unsaved
        and buffer.layout == torch.strided
        and buffer.dtype in BUFFERS.values()
    }
    return tensors


def tensors_of(module: nn.Module) -> dict[str, Tensor]:
    """Return a module's parameters and saved buffers by name; tied ones once.

    They share memory with the module, except that tensors made in inference mode are copied, and
    half precision is converted to float32. Buffers are converted only if a parameter is half.
    """
    tensors = stored_tensors(module)
    parameters = {name for name, _ in module.named_parameters()}
    half = any(tensors[name].dtype in HALF_DTYPES for name in parameters)
    return {
        name: _detached(tensor, widen=half or name in parameters)
        for name, tensor in tensors.items()
    }


def _detached(tensor: Tensor, *, widen: bool) -> Tensor:
    if widen and tensor.dtype in HALF_DTYPES:
        return tensor.detach().float()
    return tensor.detach().clone() if tensor.is_inference() else tensor.detach()
