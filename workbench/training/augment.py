"""Random changes to a batch of inputs, drawn from a given generator so that a seed repeats them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Generator, Tensor

from workbench.errors import WorkbenchError, user_errors
from workbench.recipe.schema import brief
from workbench.runtime.seeding import seeded


def augment(images: Tensor, shift: int, mirror: bool, generator: Generator) -> Tensor:
    """Shift each image and, if asked, mirror half of them.

    Parameters
    ----------
    images : float tensor [b, channels, h, w]
    shift : int
        Largest shift in pixels; what moves in is zero.
    mirror : bool
    generator : torch.Generator
        Where every random number comes from.
    """
    moved = shifted(images, _integers(-shift, shift, (2, len(images)), generator))
    return mirrored(moved, _integers(0, 1, (len(images),), generator).bool()) if mirror else moved


def shifted(images: Tensor, offsets: Tensor) -> Tensor:
    """Move each image of [b, channels, h, w] by its (rows, columns) of ``offsets`` [2, b]."""
    b, channels, h, w = images.shape
    margin = int(offsets.abs().max())
    padded = torch.nn.functional.pad(images, (margin,) * 4)
    rows = torch.arange(h) + margin - offsets[0, :, None]
    columns = torch.arange(w) + margin - offsets[1, :, None]
    which, channel = torch.arange(b)[:, None, None, None], torch.arange(channels)[:, None, None]
    return padded[which, channel, rows[:, None, :, None], columns[:, None, None, :]]


def mirrored(images: Tensor, chosen: Tensor) -> Tensor:
    """Mirror left and right the images of [b, channels, h, w] where ``chosen`` [b] is true."""
    return torch.where(chosen[:, None, None, None], images.flip(-1), images)


def noisy(frames: Tensor, size: Tensor, generator: Generator) -> Tensor:
    """Add noise of standard deviation `size` [features] to the real frames of [b, t, features].

    Padding, frames of zeros, stays as it is.
    """
    real = (frames != 0).any(dim=-1, keepdim=True)
    return frames + torch.randn(frames.shape, generator=generator) * size * real


def _integers(low: int, high: int, shape: tuple[int, ...], generator: Generator) -> Tensor:
    """Uniform integers, both ends included."""
    return torch.randint(low, high + 1, shape, generator=generator)


def apply_user_augment(function: Callable[[Any], Any], inputs: Any, generator: Generator) -> Any:
    """Return what a person's own `function` makes of the inputs of a batch, which it may write to.

    The generators of PyTorch, NumPy and Python are set from `generator` while it runs, and are
    afterwards as they were.

    Parameters
    ----------
    inputs
        A tensor [b, …], several in a tuple, or a dict of them.

    Raises
    ------
    WorkbenchError
        When the function fails, or returns other than finite inputs of the same kind, with as many
        rows.
    """
    seed = int(torch.randint(2**62, (), generator=generator))
    with user_errors("The function augment fails"), seeded(seed):
        changed = function(_mapped(torch.clone, inputs))
    before, after = _tensors(inputs), _tensors(changed)
    if before.keys() != after.keys() or not all(
        isinstance(one, Tensor) and one.shape[:1] == before[key].shape[:1]
        for key, one in after.items()
    ):
        raise WorkbenchError(
            f"The function augment returns {brief(changed)}: it must return inputs like those that "
            "it is given, with a row for each example."
        )
    for key, one in after.items():
        if not bool(one.isfinite().all()) and bool(before[key].isfinite().all()):
            raise WorkbenchError(
                "The function augment returns NaN or infinity: let it return finite numbers."
            )
    return _mapped(_narrow, changed)


def _tensors(inputs: Any) -> dict[Any, Any]:
    if isinstance(inputs, Mapping):
        return dict(inputs)
    return dict(enumerate(inputs if isinstance(inputs, tuple | list) else [inputs]))


def _mapped(change: Callable[[Tensor], Tensor], inputs: Any) -> Any:
    if isinstance(inputs, Mapping):
        return {name: change(one) for name, one in inputs.items()}
    several = isinstance(inputs, tuple | list)
    return tuple(map(change, inputs)) if several else change(inputs)


def _narrow(tensor: Tensor) -> Tensor:
    """Return float64, which NumPy computes in, as float32."""
    return tensor.float() if tensor.dtype == torch.float64 else tensor
