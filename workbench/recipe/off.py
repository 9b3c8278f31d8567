"""Disabled parts of a recipe, and changes to the settings of single layers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from workbench.recipe.recipe import PARTS, Recipe
from workbench.recipe.schema import specs

OFF: Mapping[str, float | int | str] = {
    "structure": 0.0,
    "prune": 0.0,
    "factorize": 1.0,
    "share": 0,
    "quantize": 32,
    "activations": 32,
    "adjust": "keep",
}
"""The value of each part's first field that disables the part."""

BY_LAYER = tuple(key for key in OFF if any(spec.name == "layers" for spec in specs(PARTS[key])))
"""The parts that have settings for single layers."""


@cache
def disabled_part(key: str) -> Any:
    """Return the disabled part `key`."""
    part: Any = PARTS[key]
    return part(**{specs(part)[0].name: OFF[key]})


def for_layer(recipe: Recipe, key: str, layer: str, setting: float) -> Recipe:
    """Return a recipe that applies only the part `key`, with `setting`, to a single `layer`.

    The other fields of the part, such as its criterion, are those of `recipe`.
    """
    part = getattr(recipe, key) or disabled_part(key)
    first = specs(part)[0].name
    single = replace(part, layers={layer: setting}, exclude=(), **{first: OFF[key]})
    return Recipe(**{key: single})


def with_layers(recipe: Recipe, key: str, layers: Collection[str], setting: float) -> Recipe:
    """Return `recipe` with `setting` for `layers` in the part `key`."""
    part = getattr(recipe, key) or disabled_part(key)
    settings = {**part.layers, **dict.fromkeys(layers, setting)}
    exclude = tuple(name for name in part.exclude if name not in layers)
    return replace(recipe, **{key: replace(part, layers=settings, exclude=exclude)})


def without_idle_factorization(recipe: Recipe) -> Recipe:
    """Remove a factorize part that factorizes no layer, so that the recipe can be trained."""
    part = recipe.factorize
    idle = part is not None and part.keep == OFF["factorize"] and not part.layers
    return replace(recipe, factorize=None) if idle else recipe
