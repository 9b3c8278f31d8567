"""Parts that do nothing: the values at which each is switched off, and what one layer gets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
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
"""The value of each part's first field at which the part does nothing."""

BY_LAYER = tuple(key for key in OFF if any(spec.name == "layers" for spec in specs(PARTS[key])))
"""The parts that can give single layers a setting of their own."""


def disabled_part(key: str, **more: Any) -> Any:
    """Return the part called `key` so that it does nothing but what `more` says."""
    return PARTS[key](**{specs(PARTS[key])[0].name: OFF[key], **more})


def for_layer(recipe: Recipe, key: str, layer: str, setting: float) -> Recipe:
    """Return the recipe that does one thing: the part `key` of `recipe` gives `layer` a setting.

    What else the part says, such as its criterion, stays as it is.
    """
    part = getattr(recipe, key) or disabled_part(key)
    first = specs(part)[0].name
    alone = replace(part, layers={layer: setting}, exclude=(), **{first: OFF[key]})
    return Recipe(**{key: alone})


def with_layers(recipe: Recipe, key: str, layers: Collection[str], setting: float) -> Recipe:
    """Return `recipe` with a setting of the part `key` for `layers`, all else as it was."""
    part = getattr(recipe, key) or disabled_part(key)
    rows = {**part.layers, **dict.fromkeys(layers, setting)}
    others = tuple(name for name in part.exclude if name not in layers)
    return replace(recipe, **{key: replace(part, layers=rows, exclude=others)})


def without_idle_factorization(recipe: Recipe) -> Recipe:
    """Return `recipe` without a part that would factor but factors no layer: it can be trained."""
    part = recipe.factorize
    idle = part is not None and part.kept == OFF["factorize"] and not part.layers
    return replace(recipe, factorize=None) if idle else recipe
