"""Results that are known before a search begins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from workbench.cache.results import ResultCache, default_result_cache
from workbench.domain import Model
from workbench.recipe import Recipe
from workbench.study.candidates import is_within
from workbench.study.measurement import exact_trial
from workbench.study.space import Space
from workbench.study.trial import Trial


def known_trials(
    model: Model, recipes: Iterable[Recipe], space: Space, store: ResultCache | None = None
) -> list[Trial]:
    """Return a trial for each recipe whose file was measured on all examples before.

    The store finds results by the content of model, recipe and data, so that none of another model
    is returned. No example is evaluated: the trials have 0 `examples`.

    Parameters
    ----------
    model
        The model that is searched.
    recipes
        Those that may be known.
    space
        Recipes with a value that it leaves out are not returned.
    store
        The cache of results; by default the user's.
    """
    store = store or default_result_cache()
    inside = (recipe for recipe in dict.fromkeys(recipes) if is_within(space, recipe))
    trials = (exact_trial(model, recipe, store) for recipe in inside)
    return [replace(trial, examples=0) for trial in trials if trial is not None]
