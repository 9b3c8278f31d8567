"""What the tabs below the picture show; only the open one is kept up to date."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from workbench import formatting
from workbench.domain import Task
from workbench.i18n import _, plural
from workbench.i18n import mark as N_
from workbench.panels import controls, points
from workbench.panels.buttons import choice
from workbench.panels.comparing import tab as comparing
from workbench.panels.comparing.view import has_classes
from workbench.panels.labels import examples_label
from workbench.plots import course, ledger, sensitivity, teacher, temperature, treemap
from workbench.plots.palette import Palette
from workbench.recipe import PARTS, Recipe
from workbench.recipe.off import BY_LAYER
from workbench.recipe.schema import specs
from workbench.session import Session
from workbench.session.analyses import AnalysisKey


@dataclass(frozen=True)
class Tab:
    """One tab: its key, its name, and what fills it.

    `content` returns plain data with one of the keys `figure` (a plotly figure), `table` (head,
    rows, a sentence for when there are none, a button and perhaps a foot), `texts` (title and text
    to copy) or `note` (a sentence while there is nothing; with `keep`, what was shown stays, pale).
    `controls` and `buttons`, a row of what can be asked for, are shown above any of them, and
    `height` is the pixels that a figure needs. `wants` says what has to be found out about the file
    for it, while that is not known. A tab `under` another has no place of its own in the row: a
    control of the two turns from one to the other. A tab is there for the tasks that it `fits`.
    """

    key: str
    label_id: str
    content: Callable[[Session, Palette], dict[str, Any]]
    wants: Callable[[Session], AnalysisKey | None] = lambda session: None
    under: str | None = None
    fits: Callable[[Task], bool] = lambda task: True


def bytes_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the ledger of the file as stacked bars, or as areas."""
    if session.report is None:
        return {"note": _("The file is being made.")}
    found = session.report.size.ledger
    areas = session.focus.areas
    draw = treemap.draw if areas else ledger.draw
    shapes = [(False, _("bars")), (True, _("areas"))]
    return {
        "controls": [choice("areas", _("drawn as"), areas, shapes)],
        "figure": draw(found.rows, found.container, palette),
    }


def cost_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return what running the original and the file takes."""
    if session.report is None:
        return {"note": _("The file is being made.")}
    report = session.report
    card = session.model.card
    timed = session.timing or ({}, {})
    seconds = report.training_seconds
    rows = [
        [_("multiply-adds of one example"), card["macs"], report.macs, formatting.count],
        [
            _("memory at its peak, batch of 64"),
            card["peak_memory"],
            report.peak_memory,
            formatting.size,
        ],
        [_("one example, batch of 1"), *(_time_of(t, 1) for t in timed), str],
        [_("batch of 64"), *(_time_of(t, 64) for t in timed), str],
    ]
    cells = [[name, *("…" if v is None else write(v) for v in both)] for name, *both, write in rows]
    if seconds is not None:
        took = _("{seconds} s").format(seconds=formatting.count(round(seconds)))
        cells.append([_("training, once"), took, _effort(report.training)])
    return {
        "table": {
            "head": ["", _("original"), _("this file")],
            "rows": [{"key": None, "chosen": False, "cells": row} for row in cells],
            "empty": "",
            "button": {"act": "timing", "text": _("time both on this machine")},
            "foot": _(
                "Median of the runs, and in brackets the middle 80 %; float32, {threads}. Zeros "
                "and few bits make the file smaller; this runtime multiplies them all the same."
            ).format(threads=_threads(timed[0])),
        }
    }


def _effort(took: Mapping[str, float] | None) -> str:
    if took is None:
        return _("none")
    return _("{seconds} s: {steps} steps, {pace} examples per second").format(
        seconds=formatting.count(round(took["seconds"])),
        steps=formatting.count(round(took["steps"])),
        pace=formatting.count(round(took["examples_per_second"])),
    )


def _time_of(timed: Mapping[str, Any], batch: int) -> str | None:
    found = timed.get(f"batch_{batch}")
    if found is None:
        return None
    low, high = formatting.milliseconds(found["p10"]), formatting.milliseconds(found["p90"])
    return f"{formatting.milliseconds(found['median'])} ({low} – {high})"


def _threads(timed: Mapping[str, Any]) -> str:
    count = timed.get("threads")
    if count is None:
        return _("not timed yet")
    return plural("{count} thread", "{count} threads", count).format(count=count)


def training_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the course of the training that is under way or was the last."""
    if session.training is None:
        waits = session.busy and session.recipe.train is not None
        finding = _("Finding out how many steps fit into the time.")
        nothing = _("Nothing was trained yet: open the training section on the left.")
        return {"note": finding if waits else nothing}
    so_far, metric = session.training, session.model.task.metric
    return {"figure": course.draw(so_far.curve, so_far.steps, palette, metric)}


def teacher_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return what the teacher thinks of one example at the temperature chosen."""
    question = session.teacher_query
    if question is None or question.prediction is None:
        return {"note": _("Open the training section and move the temperature.")}
    opinion, classes = question.prediction, [_(name) for name in session.model.task.classes]
    figure = teacher.draw(opinion.outputs, classes, opinion.label, question.temperature, palette)
    return {"figure": teacher.with_example(figure, opinion.content)}


def temperature_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return what students reach at a row of temperatures, as far as it is known."""
    if session.sweep_result is None:
        return {
            "note": _(
                "Open the training section, choose a teacher, and press the button that tries a "
                "row of temperatures."
            )
        }
    tried = session.sweep_result
    return {"figure": temperature.draw(tried.levels, palette, metric=tried.metric)}


def sensitivity_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return what each layer alone bears, as far as it is known, and what can be tried."""
    labels = {key: specs(PARTS[key])[0].label for key in BY_LAYER}
    buttons = [
        {"act": "scan", "part": key, "text": _("try {what}").format(what=label)}
        for key, label in labels.items()
    ]
    found = session.sensitivity
    if found is None:
        return {
            "note": _(
                "Which layer bears what? Every layer is tried by itself, each point measured on "
                "all {examples}; a click on a point then sets that layer."
            ).format(examples=examples_label(session.model.task.input_type)),
            "buttons": buttons,
        }
    return {
        "figure": sensitivity.draw(found, palette),
        "height": sensitivity.height(found),
        "buttons": buttons,
    }


def results_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the table of everything visited, newest first."""
    original, metric = points.original(session.model), session.model.task.metric
    rows = [
        {
            "key": key,
            "chosen": visit.recipe == session.recipe,
            "cells": [
                controls.summary(visit.recipe),
                metric.format(visit.value),
                metric.change(visit.value - original.value),
                formatting.nbytes(visit.bytes),
                formatting.times(original.bytes / visit.bytes),
            ],
        }
        for key, visit in enumerate(session.visited)
        if visit.recipe != Recipe()
    ]
    return {
        "table": {
            "head": [_("recipe"), _(metric.name), _("change"), _("file"), _("times smaller")],
            "rows": rows[::-1],
            "empty": _("Nothing measured yet: move a slider, and every stop is kept here."),
            "action": _("bring back"),
            "button": {"act": "results_csv", "text": _("save the table as CSV")},
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
    Tab("bytes", N_("bytes"), bytes_tab),
    Tab("changed", N_("what changed"), comparing.tab, comparing.missing_analysis),
    Tab("training", N_("training"), training_tab),
    Tab("teacher", N_("teacher"), teacher_tab, under="training", fits=has_classes),
    Tab("temperature", N_("temperatures"), temperature_tab, under="training", fits=has_classes),
    Tab("sensitivity", N_("sensitivity"), sensitivity_tab),
    Tab("cost", N_("what it takes"), cost_tab),
    Tab("results", N_("results"), results_tab),
    Tab("recipe", N_("recipe"), recipe_tab),
)


def tabs(task: Task) -> list[Tab]:
    """Return the tabs that a task can have."""
    return [tab for tab in TABS if tab.fits(task)]


def content(tab: Tab, session: Session, palette: Palette) -> dict[str, Any]:
    """Return what fills `tab`, with the control that turns to those it shares its place with."""
    filled = tab.content(session, palette)
    place = tab.under or tab.key
    sharing = [
        (one.key, _(one.label_id))
        for one in tabs(session.model.task)
        if place in (one.key, one.under)
    ]
    if len(sharing) == 1:
        return filled
    turn = choice("tab", _("view"), tab.key, sharing)
    return {**filled, "controls": [turn, *filled.get("controls", [])]}
