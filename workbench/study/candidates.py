"""Which recipes are tried for a model: the fields that can act on it, and where to begin."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

from workbench.domain import Model
from workbench.domain.applicable import can_act
from workbench.recipe import Recipe
from workbench.recipe.off import OFF
from workbench.study.space import Space, Value, value_of

SPARSITIES = tuple(round(step / 50, 2) for step in range(50))
REMOVED = tuple(round(step / 20, 2) for step in range(18))

AXES: dict[str, Sequence[Value]] = {
    "structure.removed": REMOVED,
    "structure.criterion": ("group_norm", "curvature"),
    "prune.sparsity": SPARSITIES,
    "prune.criterion": ("magnitude", "curvature"),
    "prune.scope": ("auto", "uniform"),
    "factorize.keep": (1.0, 0.98, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5),
    "share.clusters": (0, 32, 16, 8, 4),
    "quantize.bits": (32, 8, 6, 5, 4, 3, 2),
    "quantize.range": ("mse", "minmax"),
    "quantize.rounding": ("nearest", "compensated"),
    "adjust.batch_norm": ("keep", "recalibrate"),
}
"""Fields of a recipe, with values in the order of the size or the strength that they give."""


def space_of(model: Model) -> Space:
    """Return the space of the fields that can act on a model."""
    return Space({key: axis for key, axis in AXES.items() if _acts(model, key)})


def narrowed_space(model: Model, ranges: Iterable[tuple[str, int, int]]) -> Space:
    """Return the space of a model with some values of some fields only.

    Parameters
    ----------
    ranges
        The fields, and the indices of the first and the last value that are left.
    """
    axes = dict(space_of(model).axes)
    for key, first, last in ranges:
        if key in axes:
            axes[key] = axes[key][first : last + 1]
    return Space(axes)


def is_within(space: Space, recipe: Recipe) -> bool:
    """Whether a recipe has no value that a narrower space leaves out."""
    return all(
        (value := value_of(recipe, key)) in space.axes.get(key, _off(key)) or value not in axis
        for key, axis in AXES.items()
    )


def _off(key: str) -> Sequence[Value | None]:
    """Return the values of a field in a recipe without its part."""
    part, _, _field = key.partition(".")
    return AXES[key] if value_of(Recipe(), key) is None else [OFF[part]]


def _acts(model: Model, key: str) -> bool:
    part, _, field = key.partition(".")
    return can_act(model, part, field)


@cache
def _prior() -> list[Recipe]:
    text = (files("workbench.study") / "prior.json").read_text("utf-8")
    return [Recipe.from_json(recipe) for recipe in json.loads(text)["recipes"]]


def first_recipes(model: Model) -> list[Recipe]:
    """Return the recipes to begin with, those first that did best on the built-in models.

    The order comes from `prior.json`, which `benchmarks/study_prior.py` writes. It decides only
    what is tried first.
    """
    parts = {key.partition(".")[0] for key in AXES if _acts(model, key)}
    return [recipe for recipe in _prior() if set(recipe.as_dict()) <= parts]
