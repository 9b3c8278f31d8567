"""Reports, models and visited recipes as points of the trade-off chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.domain import Model
from workbench.evaluation.report import Report
from workbench.plots.tradeoff import Spot
from workbench.recipe import Recipe

if TYPE_CHECKING:
    from workbench.session.records import Visit


def original(model: Model, split: str = "validation") -> Spot:
    """Return the point of the uncompressed model, taken from its card without loading weights."""
    value = model.metric_value(split)
    return Spot(model.original_bytes, value, value, value)


def visited(visits: Sequence[Visit], origin: str) -> list[Spot]:
    """Return a point for each result except `origin` itself; `key` is its index in `visits`."""
    return [
        Spot(
            visit.bytes,
            visit.value,
            visit.value,
            visit.value,
            key,
            trained=visit.recipe.train is not None or visit.model != origin,
        )
        for key, visit in enumerate(visits)
        if (visit.model, visit.recipe) != (origin, Recipe())
    ]


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
