"""What the tabs below the picture show; only the open one is kept up to date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workbench import figures
from workbench.panels import controls, points
from workbench.plots import ledger
from workbench.plots.palette import Palette
from workbench.recipe import Recipe
from workbench.session import Session
from workbench.text import _
from workbench.text import mark as N_


@dataclass(frozen=True)
class Tab:
    """One tab: its key, its name, and what fills it.

    `content` returns plain data with one of the keys `figure` (a plotly figure), `table` (head,
    rows and a sentence for when there are none), `texts` (title and text to copy) or `note` (a
    sentence while there is nothing).
    """

    key: str
    label_id: str
    content: Callable[[Session, Palette], dict[str, Any]]


def bytes_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the ledger of the file as stacked bars."""
    if session.report is None:
        return {"note": _("The file is being made.")}
    found = session.report.size.ledger
    return {"figure": ledger.draw(found.rows, found.container, palette)}


def results_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the table of everything visited, newest first."""
    original = points.original(session.model)
    rows = [
        {
            "key": key,
            "chosen": visit.recipe == session.recipe,
            "cells": [
                controls.summary(visit.recipe),
                figures.percent(visit.accuracy),
                figures.points(visit.accuracy - original.accuracy),
                figures.nbytes(visit.bytes),
                figures.times(original.bytes / visit.bytes),
            ],
        }
        for key, visit in enumerate(session.visited)
        if visit.recipe != Recipe()
    ]
    return {
        "table": {
            "head": [_("recipe"), _("accuracy"), _("change"), _("file"), _("times smaller")],
            "rows": rows[::-1],
            "empty": _("Nothing measured yet: move a slider, and every stop is kept here."),
            "action": _("bring back"),
            "save": _("save the table as CSV"),
        }
    }


def recipe_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the recipe as text to take elsewhere."""
    name = session.model.name
    python = (
        "import workbench as wb\n\n"
        f'model = wb.model("{name}")\n'
        f"recipe = wb.{session.recipe!r}\n"
        'wb.compress(model, recipe).save("small.safetensors")'
    )
    return {
        "texts": [
            {"title": _("JSON"), "text": session.recipe.to_json()},
            {"title": _("Python"), "text": python},
            {"title": _("link"), "text": f"?{session.query()}", "link": True},
        ]
    }


TABS = (
    Tab("bytes", N_("where the bytes are"), bytes_tab),
    Tab("results", N_("results"), results_tab),
    Tab("recipe", N_("recipe"), recipe_tab),
)
