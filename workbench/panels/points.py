"""A session's reports and visits as spots of the picture."""

from __future__ import annotations

from workbench.evaluation.report import Report
from workbench.plots.tradeoff import Spot
from workbench.recipe import Recipe
from workbench.session import Session
from workbench.zoo import Model


def original(model: Model) -> Spot:
    """Return the untouched model's spot, from its card: known before anything is loaded."""
    counted = model.card["accuracy"]["validation"]
    accuracy = counted["correct"] / counted["examples"]
    return Spot(model.original_bytes, accuracy, accuracy, accuracy)


def visited(session: Session) -> list[Spot]:
    """Return a spot for each recipe measured before; `key` is its place among the visits."""
    return [
        Spot(
            visit.bytes,
            visit.accuracy,
            visit.accuracy,
            visit.accuracy,
            key,
            trained=visit.recipe.train is not None,
        )
        for key, visit in enumerate(session.visited)
        if visit.recipe != Recipe()
    ]


def current(report: Report | None) -> Spot | None:
    """Return the spot of `report`, or None while it has no accuracy."""
    if report is None or report.score is None:
        return None
    score = report.score
    return Spot(
        report.size.bytes,
        score.accuracy,
        score.accuracy_low,
        score.accuracy_high,
        trained=report.recipe.train is not None,
        stand_in=report.stands_for is not None,
    )
