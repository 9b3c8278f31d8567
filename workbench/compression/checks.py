"""Checks that tensors can be compressed and stored, before anything is computed."""

from __future__ import annotations

import torch
from torch import Tensor

from workbench.compression.coded import BUFFERS, DTYPES
from workbench.compression.roles import is_mask
from workbench.errors import InputError

MAX_AXES = 16
"""Readers of the file refuse more."""


def check_storable(name: str, weight: Tensor, *, buffer: bool = False) -> None:
    """Raise `InputError` unless a file can store the tensor `name`.

    A parameter needs a dtype in `DTYPES` and finite values, unless it is an attention mask. A
    `buffer` may have any dtype that files support, and any values.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        raise InputError(
            f"The name {name!r} is not valid Unicode: rename the tensor.",
            code="model.invalid_tensor_name",
        ) from None
    if weight.device.type != "cpu":
        raise InputError(
            f"{name} is on the device {weight.device}: move the model to the CPU.",
            code="model.not_on_cpu",
        )
    dtypes = BUFFERS if buffer else DTYPES
    if weight.layout != torch.strided or weight.dtype not in dtypes.values():
        kind = weight.dtype if weight.layout == torch.strided else weight.layout
        raise InputError(
            f"{name} is of {kind}, which cannot be stored: convert it first.",
            code="model.unsupported_dtype",
        )
    if weight.ndim > MAX_AXES:
        raise InputError(
            f"{name} has {weight.ndim} axes, but a file allows at most {MAX_AXES}: merge axes.",
            code="model.too_many_axes",
        )
    if buffer:
        return
    if not (weight.ndim >= 2 and weight.is_floating_point() and is_mask(weight)):
        check_finite(name, weight)


def check_finite(name: str, weight: Tensor) -> None:
    """Raise `InputError` if a tensor holds NaN or infinity."""
    if not weight.is_floating_point() or not weight.numel():
        return
    if not all(torch.isfinite(bound) for bound in weight.aminmax()):  # aminmax propagates NaN
        raise InputError(
            f"{name} holds NaN or infinity: fix the model before compressing it.",
            code="model.not_finite",
        )
