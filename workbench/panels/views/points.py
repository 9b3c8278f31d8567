"""Reports and visited recipes of a session as points of the trade-off chart."""

from __future__ import annotations

from workbench.domain import Model
from workbench.evaluation.report import Report
from workbench.plots.tradeoff import Spot
from workbench.recipe import Recipe
from workbench.session import Session


def original(model: Model) -> Spot:
    """Return the point of the uncompressed model, taken from its card without loading weights."""
    value = model.metric_value("validation")
    return Spot(model.original_bytes, value, value, value)


def visited(session: Session) -> list[Spot]:
    """Return a point for each measured recipe; `key` is its index in `session.visited`."""
    return [
        Spot(
            visit.bytes,
            visit.value,
            visit.value,
            visit.value,
            key,
            trained=visit.recipe.train is not None,
        )
        for key, visit in enumerate(session.visited)
        if visit.recipe != Recipe()
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
