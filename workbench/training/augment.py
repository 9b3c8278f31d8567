"""Random changes to a batch of images, drawn from a given generator so that a seed repeats them."""

from __future__ import annotations

import torch
from torch import Generator, Tensor


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
