"""Random augmentation of a batch of inputs. All randomness comes from a given generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Generator, Tensor

from workbench.errors import InputError, user_errors
from workbench.recipe.schema import brief
from workbench.runtime.nested import map_tensors
from workbench.runtime.seeding import seeded


def augment(images: Tensor, shift: int, mirror: bool, generator: Generator) -> Tensor:
    """Shift each image at random and, if `mirror` is set, flip each with probability one half.

    Parameters
    ----------
    images : float tensor [b, channels, h, w]
    shift : int
        Largest shift in pixels, in each direction. Uncovered pixels are zero.
    mirror : bool
    generator : torch.Generator
        Source of all random numbers.
    """
    moved = shifted(images, _integers(-shift, shift, (2, len(images)), generator))
    return mirrored(moved, _integers(0, 1, (len(images),), generator).bool()) if mirror else moved


def shifted(images: Tensor, offsets: Tensor) -> Tensor:
    """Shift each image of [b, channels, h, w] by its (rows, columns) of ``offsets`` [2, b]."""
    b, channels, h, w = images.shape
    margin = int(offsets.abs().max())
    padded = torch.nn.functional.pad(images, (margin,) * 4)
    rows = torch.arange(h) + margin - offsets[0, :, None]
    columns = torch.arange(w) + margin - offsets[1, :, None]
    image, channel = torch.arange(b)[:, None, None, None], torch.arange(channels)[:, None, None]
    return padded[image, channel, rows[:, None, :, None], columns[:, None, None, :]]


def mirrored(images: Tensor, selected: Tensor) -> Tensor:
    """Flip left and right the images of [b, channels, h, w] where ``selected`` [b] is true."""
    return torch.where(selected[:, None, None, None], images.flip(-1), images)


def noisy(frames: Tensor, size: Tensor, generator: Generator) -> Tensor:
    """Add noise of standard deviation `size` [features] to the frames of [b, t, features].

    Frames of zeros are padding and stay zero.
    """
    real = (frames != 0).any(dim=-1, keepdim=True)
    return frames + torch.randn(frames.shape, generator=generator) * size * real


def _integers(low: int, high: int, shape: tuple[int, ...], generator: Generator) -> Tensor:
    """Uniform integers, both ends included."""
    return torch.randint(low, high + 1, shape, generator=generator)


def apply_user_augment(function: Callable[[Any], Any], inputs: Any, generator: Generator) -> Any:
    """Return the inputs of a batch as augmented by a user's `function`.

    The function gets a copy, which it may modify in place. The global generators of PyTorch, NumPy
    and Python are seeded from `generator` while it runs and restored afterwards.

    Parameters
    ----------
    inputs
        A tensor [b, …], a tuple of tensors, or a dict of tensors.

    Raises
    ------
    InputError
        If the function fails, or does not return finite inputs of the same structure with as
        many rows.
    """
    seed = int(torch.randint(2**62, (), generator=generator))
    with user_errors("The function augment fails", code="data.augment_failed"), seeded(seed):
        changed = function(map_tensors(torch.clone, inputs))
    before, after = _tensors(inputs), _tensors(changed)
    if before.keys() != after.keys() or not all(
        isinstance(tensor, Tensor) and tensor.shape[:1] == before[key].shape[:1]
        for key, tensor in after.items()
    ):
        raise InputError(
            f"The function augment returns {brief(changed)}: it must return inputs of the same "
            "structure as it gets, with one row for each example.",
            code="data.augment_structure",
        )
    for key, tensor in after.items():
        if not bool(tensor.isfinite().all()) and bool(before[key].isfinite().all()):
            raise InputError(
                "The function augment returns NaN or infinity: return finite numbers.",
                code="data.augment_not_finite",
            )
    return map_tensors(_as_float32, changed)


def _tensors(inputs: Any) -> dict[Any, Any]:
    if isinstance(inputs, Mapping):
        return dict(inputs)
    return dict(enumerate(inputs if isinstance(inputs, tuple | list) else [inputs]))


def _as_float32(tensor: Tensor) -> Tensor:
    """Return float64, the default of NumPy, as float32."""
    return tensor.float() if tensor.dtype == torch.float64 else tensor
