"""A quick look ahead: the plain version of a recipe, while what it stands for is being made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from workbench.cache.results import ResultCache
from workbench.calibration.statistics import calibration_stats
from workbench.domain import Model
from workbench.errors import Cancelled
from workbench.evaluation import measure
from workbench.evaluation.cached_results import cached_report
from workbench.evaluation.report import Report
from workbench.pipeline import OnStep
from workbench.recipe import Recipe

SPLIT = "validation"


def iter_reports_with_preview(
    model: Model,
    recipe: Recipe,
    *,
    store: ResultCache,
    cancelled: Callable[[], bool] = lambda: False,
    watch: OnStep = lambda moment: None,
    calibrating: Callable[[float], None] = lambda share: None,
) -> Iterator[Report]:
    """Yield what `steps` yields on the validation examples, and a stand-in before it.

    Where `recipe` has a plain version, the first estimate of that comes first, its `stands_for`
    set; of one that was measured before, the exact figures. `calibrating` is told how much of what
    the recipe needs to know of the model is computed, from 0 to 1, where that has to be done first.

    Raises
    ------
    RecipeError, Cancelled
        As `steps` does.
    """
    plain = recipe.baseline
    before = cached_report(model, recipe, SPLIT, store)
    if recipe.train is None and plain != recipe and (before is None or before.score is None):
        for found in measure.iter_reports(model, plain, store=store, cancelled=cancelled):
            if found.score is not None:
                yield replace(found, preview_of=recipe)
                break

    def calibrated(share: float) -> None:
        if cancelled():
            raise Cancelled("Measuring was stopped.")
        calibrating(share)

    calibration_stats(model, recipe, on_progress=calibrated)
    yield from measure.iter_reports(model, recipe, store=store, cancelled=cancelled, watch=watch)


def baseline_report(
    model: Model,
    recipe: Recipe,
    *,
    store: ResultCache,
    cancelled: Callable[[], bool] = lambda: False,
) -> Report | None:
    """Return the exact report of the plain version of `recipe`; None where there is none.

    Raises
    ------
    Cancelled
        As `steps` does.
    """
    if recipe.train is not None or recipe.baseline == recipe:
        return None
    return list(measure.iter_reports(model, recipe.baseline, store=store, cancelled=cancelled))[-1]
