"""What can be compressed and stored at all, told before anything is computed."""

from __future__ import annotations

import torch
from torch import Tensor

from workbench.compression.coded import BUFFERS, DTYPES
from workbench.compression.roles import is_mask
from workbench.errors import RecipeError

MAX_AXES = 16
"""More a reader refuses."""


def check_storable(name: str, weight: Tensor, *, buffer: bool = False) -> None:
    """Raise `RecipeError` unless the tensor called `name` is one that a file can hold.

    Parameters are of real numbers of two bytes or more, finite but in masks; a `buffer` is of any
    dtype that files know and holds anything.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        raise RecipeError(f"The name {name!r} is no Unicode text: rename the tensor.") from None
    if weight.device.type != "cpu":
        raise RecipeError(f"{name} is on the device {weight.device}: move the model to the CPU.")
    known = BUFFERS if buffer else DTYPES
    if weight.layout != torch.strided or weight.dtype not in known.values():
        kind = weight.dtype if weight.layout == torch.strided else weight.layout
        raise RecipeError(f"{name} is of {kind}, which cannot be stored: convert it first.")
    if weight.ndim > MAX_AXES:
        raise RecipeError(
            f"{name} has {weight.ndim} axes, more than the {MAX_AXES} a file can tell: join some."
        )
    if buffer:
        return
    mask = weight.ndim >= 2 and weight.is_floating_point() and is_mask(weight)
    if not mask:
        check_finite(name, weight)


def check_finite(name: str, weight: Tensor) -> None:
    """Raise `RecipeError` where a tensor holds NaN or infinity."""
    if not weight.is_floating_point() or not weight.numel():
        return
    if not all(torch.isfinite(bound) for bound in weight.aminmax()):  # NaN is passed on
        raise RecipeError(f"{name} holds NaN or infinity: mend the model before compressing it.")
