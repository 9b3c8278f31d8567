"""Samplers that do not depend on results: all recipes, or a Sobol sequence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from workbench.domain import Model
from workbench.recipe import Recipe
from workbench.study.expected_bytes import expected_bytes
from workbench.study.space import Position, Space
from workbench.study.trial import Trial

if TYPE_CHECKING:
    from workbench.study.study import Study

MAX_POINTS = 2**16
"""Points of a Sobol sequence after which the search for new recipes ends."""


def grid_search(model: Model, study: Study, trials: Sequence[Trial], count: int) -> list[Recipe]:
    """Return all recipes of the space, those with small files first.

    The order makes evaluations short: a file is compared with smaller ones.
    """
    cached, key = study.space.cached, ("by expected bytes", model.digest)
    if key not in cached:
        recipes = dict.fromkeys(study.space)
        cached[key] = sorted(recipes, key=lambda recipe: expected_bytes(model, recipe))
    ordered: list[Recipe] = cached[key]
    return ordered[len(trials) : len(trials) + count]


def sobol(model: Model, study: Study, trials: Sequence[Trial], count: int) -> list[Recipe]:
    """Return the next recipes of a scrambled Sobol sequence (Sobol 1967, Owen 1998)."""
    known = {trial.recipe for trial in trials}
    chosen: dict[Recipe, None] = {}
    seen: set[Position] = set()
    for position in sobol_positions(study.space, study.seed):
        if len(seen) == len(study.space):
            break
        if position in seen:
            continue
        seen.add(position)
        recipe = study.space.recipe(position)
        if recipe is not None and recipe not in known:
            chosen[recipe] = None
        if len(chosen) == count:
            break
    return list(chosen)


def sobol_positions(space: Space, seed: int) -> Iterator[Position]:
    """Yield the positions of a Sobol sequence; some occur again."""
    from scipy.stats import qmc

    lengths = [len(values) for values in space.axes.values()]
    sequence = qmc.Sobol(len(lengths), rng=seed)
    size = 64
    for _ in range(0, MAX_POINTS, size):
        for point in sequence.random(size):
            yield tuple(int(x * length) for x, length in zip(point, lengths, strict=True))
