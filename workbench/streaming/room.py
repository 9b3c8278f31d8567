"""The disk space that compressing a checkpoint takes, checked before the first tensor."""

from __future__ import annotations

import shutil
from math import ceil, prod
from pathlib import Path

from workbench.compression.quantize import bits_of
from workbench.compression.share import clusters_of
from workbench.errors import FileError
from workbench.recipe import Quantize, Recipe
from workbench.streaming.safetensors_header import TensorLocation
from workbench.streaming.source import Source

ENTRY_BYTES = 200
"""The bytes of a header entry, without the name of its tensor."""


def check_room(source: Source, recipe: Recipe, target: Path, written: int) -> None:
    """Check that the disk of `target` has room for its partial output and for the file itself.

    `written` bytes of the partial output exist already.

    Raises
    ------
    FileError
        If the disk has less free space than the largest possible output takes.
    """
    needed = 2 * largest_size(source, recipe) - written
    free = shutil.disk_usage(target.parent).free
    if needed > free:
        raise FileError(
            f"Compressing {source.title} takes up to {needed:,} bytes on the disk of {target}, "
            f"which has {free:,} free: free space or choose another place.",
            code="file.no_space",
        )


def largest_size(source: Source, recipe: Recipe) -> int:
    """Return a bound of the file's length: the sum of the dense or sparse encodings."""
    layers = frozenset(source.layers)
    return sum(
        len(name.encode())
        + ENTRY_BYTES
        + (_largest(place, recipe) if name in layers else place.size)
        for name, place in source.locations.items()
    )


def _largest(place: TensorLocation, recipe: Recipe) -> int:
    """Return a bound of the bytes of a layer's stream."""
    count = prod(place.shape)
    bits, extra = 8 * place.dtype.itemsize, 0
    if recipe.share is not None and (clusters := clusters_of(place.name, recipe.share)):
        rows = place.shape[0] if recipe.share.granularity == "channel" else 1
        clusters = 2 if recipe.share.method == "ternary" else clusters
        bits, extra = clusters.bit_length(), 4 * rows * (clusters + 1)
    elif recipe.quantize is not None and (width := bits_of(place.name, recipe.quantize)) < 32:
        bits = width
        extra = 0 if width == 16 else 5 * _scales(place.shape, recipe.quantize)
    dense = ceil(count * bits / 8)
    if recipe.prune is None or recipe.prune.pattern != "free":
        return dense + extra
    stored = ceil(count * (1 - recipe.prune.sparsity_of(place.name)))
    return min(dense, ceil((stored * bits + count) / 8)) + extra


def _scales(shape: tuple[int, ...], quantize: Quantize) -> int:
    """Return the number of scales of a layer."""
    if quantize.granularity == "tensor":
        return 1
    rows, length = shape[0], prod(shape[1:])
    return rows if quantize.granularity == "channel" else rows * ceil(length / quantize.group_size)
