"""Reports, models and visited recipes as points of the trade-off chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.cache.results import ResultCache
from workbench.domain import Model
from workbench.evaluation.preset_results import preset_results
from workbench.evaluation.report import Report
from workbench.evaluation.uncompressed_file import uncompressed_bytes
from workbench.plots.spots import Landmark, Spot
from workbench.recipe import Recipe
from workbench.recipe.presets import PRESETS

if TYPE_CHECKING:
    from workbench.session.records import Visit


def original(model: Model, split: str = "validation") -> Spot:
    """Return the point of the uncompressed model: its file as Workbench writes it."""
    value = model.metric_value(split)
    return Spot(uncompressed_bytes(model), value, value, value)


def presets(model: Model, store: ResultCache) -> list[Landmark]:
    """Return the presets whose results on a model are known."""
    results = preset_results(model, store)
    return [
        Landmark(preset.label, Spot(size, value, value, value), name=preset.name)
        for preset in PRESETS
        if preset.name in results
        for size, value in [results[preset.name]]
    ]


def visited(visits: Sequence[Visit], origin: str) -> list[Spot]:
    """Return a point for each result except `origin` itself; `key` is its index in `visits`."""
    return [
        _spot(visit, key, origin)
        for key, visit in enumerate(visits)
        if (visit.model, visit.recipe) != (origin, Recipe())
    ]


def trail(visits: Sequence[Visit], origin: str) -> list[Spot]:
    """Return a point for each result of a drag, exact or estimated."""
    return [_spot(visit, key, origin) for key, visit in enumerate(visits)]


def _spot(visit: Visit, key: int, origin: str) -> Spot:
    return Spot(
        visit.bytes,
        visit.value,
        visit.value,
        visit.value,
        key,
        trained=visit.recipe.train is not None or visit.model != origin,
        preview=not visit.exact,
    )


def current(report: Report | None) -> Spot | None:
    """Return the point of `report`, or None until its accuracy is known."""
    if report is None or report.score is None:
        return None
    score = report.score
    return Spot(
        report.size.bytes,
        score.value,
        score.low,
        score.high,
        trained=report.recipe.train is not None,
        preview=report.preview_of is not None,
    )
