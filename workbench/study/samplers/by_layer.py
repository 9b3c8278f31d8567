"""Mixed precision: bits for each layer under a total size, from measured sensitivities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING

from workbench.analysis.sensitivity import sensitivity
from workbench.domain import Model
from workbench.errors import InputError
from workbench.recipe import Recipe
from workbench.recipe.quantize import Quantize
from workbench.study.expected_bytes import expected_bytes
from workbench.study.goal import Goal
from workbench.study.knapsack import Option, knapsack
from workbench.study.trial import Trial
from workbench.training.compress import compress

if TYPE_CHECKING:
    from workbench.study.space import Position, Space
    from workbench.study.study import Study

SHARES = (1.0, 0.98, 1.02, 0.95, 1.05, 0.9)
"""Sizes of the first recipes relative to the limit: the bytes of layers add up only roughly."""
ELITE = 3
PREFIX = "quantize.layers."


def by_layer(model: Model, study: Study, trials: Sequence[Trial], count: int) -> list[Recipe]:
    """Return recipes with bits for each layer.

    The first solve a knapsack whose costs are the losses of each layer alone at each number of
    bits. Then the best are changed by one layer, or by one up and another down, and measured.

    Raises
    ------
    InputError
        If the study has no limit on the bytes, or its space has other fields than bits by layer.
    """
    space = study.space
    if study.max_bytes is None or not all(key.startswith(PREFIX) for key in space.axes):
        raise InputError(
            "The sampler by_layer needs max_bytes, and a space of quantize.layers.NAME only: see "
            "workbench.study.mixed_precision.",
            code="study.not_by_layer",
        )
    known = {trial.recipe for trial in trials}
    starts = [recipe for recipe in _starts(model, study) if recipe not in known]
    if starts:
        return starts[:count]
    elite = Goal(model.task.metric, study.max_bytes).ranking(trials)[:ELITE]
    proposed: dict[Recipe, float] = {}
    for trial in elite:
        scale = trial.bytes / expected_bytes(model, trial.recipe)
        for position in _changes(space, space.position(trial.recipe)):
            recipe = space.recipe(position)
            if recipe is None or recipe in known or recipe in proposed:
                continue
            size = scale * expected_bytes(model, recipe)
            if size <= study.max_bytes:
                proposed[recipe] = size
    return sorted(proposed, key=lambda recipe: -proposed[recipe])[:count]


def _starts(model: Model, study: Study) -> list[Recipe]:
    cached, key = study.space.cached, (model.digest, study.max_bytes)
    if key not in cached:
        cached[key] = _solved(model, study)
    recipes: list[Recipe] = cached[key]
    return recipes


def _solved(model: Model, study: Study) -> list[Recipe]:
    """Return the recipes of the knapsack for sizes near the limit."""
    space, metric = study.space, model.task.metric
    base = space.base.quantize or Quantize()
    settings = sorted({int(value) for values in space.axes.values() for value in values})
    measured = sensitivity(model, base, settings)
    original = metric.sort_key(model.metric_value("validation"))
    uncompressed = len(compress(model, Recipe()))
    options: dict[str, list[Option]] = {}
    for key, values in space.axes.items():
        name = key.removeprefix(PREFIX)
        full = 4 * prod(model.card["tensors"][name])
        options[name] = [
            (
                int(point.setting),
                max(0, point.bytes - uncompressed + full),
                max(0.0, original - metric.sort_key(point.value)),
            )
            for point in measured
            if point.layer == name and point.setting in values
        ]
    others = uncompressed - sum(4 * prod(model.card["tensors"][name]) for name in options)
    recipes: dict[Recipe, None] = {}
    for share in SHARES:
        bits = knapsack(options, round(share * (study.max_bytes or 0)) - others)
        if bits is None:
            continue
        chosen = zip(space.axes.values(), bits.values(), strict=True)
        recipe = space.recipe(tuple(list(values).index(setting) for values, setting in chosen))
        if recipe is not None:
            recipes[recipe] = None
    return list(recipes)


def _changes(space: Space, position: Position) -> Iterator[Position]:
    """Yield positions with one layer a step up or down, or one up and another down."""
    lengths = [len(values) for values in space.axes.values()]

    def moved(at: Position, axis: int, step: int) -> Position | None:
        index = at[axis] + step
        return (*at[:axis], index, *at[axis + 1 :]) if 0 <= index < lengths[axis] else None

    for axis in range(len(position)):
        for step in (1, -1):
            single = moved(position, axis, step)
            if single is None:
                continue
            yield single
            for other in range(len(position)):
                double = None if other == axis else moved(single, other, -step)
                if double is not None:
                    yield double
