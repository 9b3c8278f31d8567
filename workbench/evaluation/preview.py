"""Preview: report the baseline version of a recipe while the slow one is computed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from workbench.cache.results import ResultCache
from workbench.calibration.statistics import calibration_stats
from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model
from workbench.evaluation import measure
from workbench.evaluation.cached_results import cached_report
from workbench.evaluation.report import Report
from workbench.recipe import Recipe
from workbench.training.compress import OnStep

SPLIT = "validation"


def iter_reports_with_preview(
    model: Model,
    recipe: Recipe,
    *,
    store: ResultCache,
    cancel: CancelToken = NEVER,
    on_step: OnStep = lambda step: None,
    sample: str = "",
) -> Iterator[Report]:
    """Yield the reports of `iter_reports` on the validation split, after a preview.

    If `recipe` has a baseline version, its first estimate comes first, with `preview_of` set; if
    the baseline is cached, its exact report. `on_progress` receives the completed fraction, 0 to 1,
    of the calibration statistics if they have to be computed.

    Raises
    ------
    RecipeError, Cancelled
        As `iter_reports`.
    """
    baseline = recipe.baseline
    cached = cached_report(model, recipe, SPLIT, store)
    if recipe.train is None and baseline != recipe and (cached is None or cached.score is None):
        for report in measure.iter_reports(
            model, baseline, store=store, cancel=cancel, sample=sample
        ):
            if report.score is not None:
                yield replace(report, preview_of=recipe)
                break
    calibration_stats(model, recipe, cancel=cancel)
    yield from measure.iter_reports(
        model, recipe, store=store, cancel=cancel, on_step=on_step, sample=sample
    )


def baseline_report(
    model: Model,
    recipe: Recipe,
    *,
    store: ResultCache,
    cancel: CancelToken = NEVER,
) -> Report | None:
    """Return the exact report of the baseline version of `recipe`; None if there is none.

    Raises
    ------
    Cancelled
        As `iter_reports`.
    """
    if recipe.train is not None or recipe.baseline == recipe:
        return None
    return list(measure.iter_reports(model, recipe.baseline, store=store, cancel=cancel))[-1]
