"""The measured recipes as a table, and the current one as text."""

from __future__ import annotations

from typing import Any

from workbench import formatting
from workbench.i18n import _
from workbench.panels import controls
from workbench.plots import points
from workbench.recipe import Recipe
from workbench.session import Session
from workbench.zoo.registry import title

NEWEST = 20
"""The number of results in the text alternative of the chart."""


def head(session: Session) -> list[str]:
    """Return the titles of the columns."""
    metric = session.model.task.metric
    return [_("recipe"), metric.label, _("change"), _("file"), _("times smaller")]


def rows(session: Session) -> list[dict[str, Any]]:
    """Return a row for each visited recipe except the original, newest first."""
    original, metric = points.original(session.origin_model), session.model.task.metric
    current, untouched = (session.model.name, session.recipe), (session.origin, Recipe())
    return [
        {
            "key": key,
            "selected": (visit.model, visit.recipe) == current,
            "cells": [
                summary(visit.model, visit.recipe, session.origin),
                metric.format(visit.value),
                metric.difference(visit.value, original.value),
                formatting.nbytes(visit.bytes),
                formatting.times(original.bytes / visit.bytes),
            ],
        }
        for key, visit in reversed([*enumerate(session.visited)])
        if (visit.model, visit.recipe) != untouched
    ]


def chart_table(session: Session) -> dict[str, Any]:
    """Return the text alternative of the chart: the original, and the newest results."""
    original, metric = points.original(session.origin_model), session.model.task.metric
    first = [
        _("original"),
        metric.format(original.value),
        "",
        formatting.nbytes(original.bytes),
        "",
    ]
    newest = [row["cells"] for row in rows(session)[:NEWEST]]
    return {"caption": _("The newest results"), "head": head(session), "rows": [first, *newest]}


def summary(model: str, recipe: Recipe, origin: str) -> str:
    """Return a model and a recipe as text; the model only if it is not the `origin`."""
    if model == origin:
        return controls.summary(recipe)
    if recipe == Recipe():
        return title(model)
    return f"{title(model)} · {controls.summary(recipe)}"
