"""A quick guess of a recipe's file size. It orders what is measured, and excludes nothing."""

from __future__ import annotations

from math import log2, prod

from workbench.domain import Model
from workbench.recipe import Recipe


def expected_bytes(model: Model, recipe: Recipe) -> float:
    """Return the bytes that the file of a recipe may have, without making it.

    It is the entropy of the positions of the weights that are not zero, and the bits of their
    values, with the channels removed and the fraction that factors keep.
    """
    shapes = model.card["tensors"]
    sizes = {name: prod(shapes[name]) for name in model.layers}
    bits = 0.0
    for name, size in sizes.items():
        bits += size * _bits_per_weight(recipe, name)
    narrower = (1 - recipe.structure.removed) ** 2 if recipe.structure else 1.0
    train = recipe.train
    if train is not None and train.start == "scratch":
        narrower *= train.width**2
    others = sum(prod(shape) for shape in shapes.values()) - sum(sizes.values())
    return float(bits / 8 * narrower + 4 * others)


def _bits_per_weight(recipe: Recipe, name: str) -> float:
    width = 32.0
    if recipe.share is not None and recipe.share.clusters and name not in recipe.share.exclude:
        width = log2(recipe.share.layers.get(name, recipe.share.clusters))
    elif recipe.quantize is not None and name not in recipe.quantize.exclude:
        width = recipe.quantize.layers.get(name, recipe.quantize.bits)
    if recipe.factorize is not None:
        width *= min(1.0, recipe.factorize.kept_fraction(name))
    sparsity = recipe.prune.sparsity_of(name) if recipe.prune is not None else 0.0
    if not sparsity:
        return width
    density = 1 - sparsity
    positions = -density * log2(density) - sparsity * log2(sparsity)
    return min(width, density * width + positions)
