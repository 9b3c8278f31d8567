"""The tabs of the pages; only the open tab is kept up to date."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench import formatting
from workbench.domain import Task
from workbench.i18n import _, mark as N_, plural
from workbench.panels import choosing_picture, deploy_tabs, parallel_tabs
from workbench.panels.buttons import choice
from workbench.panels.comparison import tab as comparison
from workbench.panels.comparison.view import has_classes
from workbench.panels.pages import APP, Panel
from workbench.panels.plan_tabs import chips_tab, compared_tab, memory_tab, rows_tab
from workbench.panels.training_tabs import sweep_tab, teacher_tab, training_tab
from workbench.panels.views import results
from workbench.panels.views.labels import examples_label
from workbench.plots import ledger, sensitivity, treemap
from workbench.plots.palette import Palette
from workbench.profiling.energy.carbon import carbon, given_intensity
from workbench.profiling.energy.energy import Energy
from workbench.recipe import PARTS
from workbench.recipe.off import BY_LAYER
from workbench.recipe.schema import specs
from workbench.session import Session
from workbench.session.analyses import AnalysisKey


@dataclass(frozen=True)
class Tab:
    """One tab.

    Attributes
    ----------
    content
        Returns plain data with one of these keys: `figure`, a plotly figure; `table`, with header,
        rows, a text for an empty table, a button and an optional footnote; `texts`, with titles and
        texts to copy; `generation`, two generated texts; or `note`, a sentence for when there is
        nothing to show. With `keep`, the previous content stays visible, faded, instead of the
        note. Further keys: `controls` and `buttons` above the content, and `height` of a figure in
        pixels.
    missing
        Returns the analysis that the tab needs and that is not cached yet, or None.
    page
        The key of the page that has the tab.
    supports
        Whether the tab exists for a task.
    """

    key: str
    label_id: str
    page: str
    content: Callable[[Session, Palette], dict[str, Any]]
    missing: Callable[[Session], AnalysisKey | None] = lambda session: None
    supports: Callable[[Task], bool] = lambda task: True


def bytes_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the size ledger of the file as stacked bars or as a treemap."""
    if session.report is None:
        return {"note": _("The file is being created.")}
    areas = session.focus.areas
    draw = treemap.draw if areas else ledger.draw
    shapes = [(False, _("bars")), (True, _("areas"))]
    return {
        "controls": [choice("areas", _("chart type"), areas, shapes)],
        "figure": draw(session.report.size.ledger, palette),
    }


def cost_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return MACs, memory and latency of the uncompressed model and the file."""
    if session.report is None:
        return {"note": _("The file is being created.")}
    report = session.report
    card = session.model.card
    latencies = session.timing or ({}, {})
    seconds = report.training_seconds
    uncompressed = _("original") if session.student is None else _("the uncompressed student")
    rows = [
        [_("multiply-accumulates per example"), card["macs"], report.macs, formatting.count],
        [_("peak memory, batch of 64"), card["peak_memory"], report.peak_memory, formatting.size],
        [_("latency, batch of 1"), *(_latency(x, 1) for x in latencies), str],
        [_("latency, batch of 64"), *(_latency(x, 64) for x in latencies), str],
        [_("energy of 1,000 examples"), *(_energy(x) for x in latencies), _amount],
    ]
    if given_intensity() is not None:
        rows.append([_("CO₂ of 1,000 examples"), *(_energy(x) for x in latencies), _carbon])
    cells = [[name, *("–" if v is None else write(v) for v in both)] for name, *both, write in rows]
    trained = _energy(report.training)
    if trained is not None:
        cells.append([_("energy of training"), _("not known"), trained.amount])
    if seconds is not None:
        original_time = _("{seconds} s").format(seconds=formatting.count(round(seconds)))
        cells.append([_("training, once"), original_time, _training_cost(report.training)])
    return {
        "table": {
            "head": ["", uncompressed, _("this file")],
            "rows": [{"key": None, "selected": False, "cells": row} for row in cells],
            "empty": "",
            "button": {"act": "timing", "text": _("measure latency on this machine")},
            "foot": _(
                "Latency: median of the runs, 10th to 90th percentile in parentheses; float32, "
                "{threads}. Sparsity and quantization make the file smaller, but this runtime "
                "computes with dense float32 weights."
            ).format(threads=_threads(latencies[0]))
            + _energy_note([*map(_energy, latencies), trained]),
        }
    }


def _training_cost(cost: Mapping[str, float] | None) -> str:
    if cost is None:
        return _("none")
    return _("{seconds} s: {steps} steps, {rate} examples per second").format(
        seconds=formatting.count(round(cost["seconds"])),
        steps=formatting.count(round(cost["steps"])),
        rate=formatting.count(round(cost["examples_per_second"])),
    )


def _latency(measured: Mapping[str, Any], batch: int) -> str | None:
    times = measured.get(f"batch_{batch}")
    if times is None:
        return None
    low, high = formatting.milliseconds(times["p10"]), formatting.milliseconds(times["p90"])
    return f"{formatting.milliseconds(times['median'])} ({low} – {high})"


def _energy(measured: Mapping[str, Any] | None) -> Energy | None:
    return Energy.from_dict(measured["energy"]) if measured and "energy" in measured else None


def _amount(energy: Energy) -> str:
    return energy.amount


def _carbon(energy: Energy) -> str:
    return energy.amount if energy.joules is None else carbon(energy).amount


def _energy_note(energies: Sequence[Energy | None]) -> str:
    """Return how the energies in the table are known; the intensity of their CO₂ if given."""
    known = [energy for energy in energies if energy is not None]
    if not known:
        return ""
    total = Energy.total(known)
    intensity = given_intensity()
    given = "" if intensity is None else _("CO₂ at the given {intensity} g/kWh.")
    parts = (
        _("Energy: {origin}.").format(origin=total.origin),
        *total.explanation,
        given.format(intensity=f"{intensity:g}" if intensity is not None else ""),
    )
    return " " + " ".join(filter(None, parts))


def _threads(measured: Mapping[str, Any]) -> str:
    count = measured.get("threads")
    if count is None:
        return _("not measured yet")
    return plural("{count} thread", "{count} threads", count).format(count=count)


def sensitivity_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the per-layer sensitivity, as far as it is measured, with a button for each scan."""
    labels = {key: specs(PARTS[key])[0].label for key in BY_LAYER}
    buttons = [
        {"act": "scan", "part": key, "text": _("try {setting}").format(setting=label)}
        for key, label in labels.items()
    ]
    result = session.sensitivity
    if result is None:
        return {
            "note": _(
                "How much compression does each layer tolerate? Each layer is compressed alone and "
                "measured on all {examples}; click a point to use its setting for the layer."
            ).format(examples=examples_label(session.model.task.input_type)),
            "buttons": buttons,
        }
    return {
        "figure": sensitivity.draw(result, palette),
        "height": sensitivity.height(result),
        "buttons": buttons,
    }


def results_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the table of the visited recipes, newest first."""
    return {
        "table": {
            "head": results.head(session),
            "rows": results.rows(session),
            "empty": _("Nothing is measured yet: move a slider, and each result appears here."),
            "action": _("restore"),
            "button": {"act": "results_csv", "text": _("save the table as CSV")},
        }
    }


def recipe_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the recipe as text to copy: JSON, Python and a link."""
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
    Tab(
        "comparison",
        N_("what changed"),
        "compress",
        comparison.tab,
        comparison.missing_analysis,
    ),
    Tab("bytes", N_("bytes"), "compress", bytes_tab),
    Tab("sensitivity", N_("layers"), "compress", sensitivity_tab),
    Tab("cost", N_("cost"), "compress", cost_tab),
    Tab("results", N_("results"), "compress", results_tab),
    Tab("recipe", N_("recipe"), "compress", recipe_tab),
    Tab("training", N_("training"), "train", training_tab),
    Tab("teacher", N_("teacher"), "train", teacher_tab, supports=has_classes),
    Tab("temperature", N_("temperatures"), "train", sweep_tab, supports=has_classes),
    Tab("choose", N_("measured recipes"), "choose", choosing_picture.tab),
    Tab("deploy_speed", N_("accuracy and time"), "deploy", deploy_tabs.speed_tab),
    Tab(
        "deploy_borderline",
        N_("borderline examples"),
        "deploy",
        deploy_tabs.borderline_tab,
        supports=has_classes,
    ),
    Tab("deploy_roofline", N_("memory or arithmetic"), "deploy", deploy_tabs.roofline_tab),
    Tab("parallel_weights", N_("weights"), "parallel", parallel_tabs.weights_tab),
    Tab("parallel_timeline", N_("timeline"), "parallel", parallel_tabs.timeline_tab),
    Tab("parallel_bytes", N_("bytes per rank"), "parallel", parallel_tabs.bytes_tab),
    Tab("plan_memory", N_("memory"), "plan", memory_tab),
    Tab("plan_chips", N_("on other chips"), "plan", chips_tab),
    Tab("plan_rows", N_("nearest rows"), "plan", rows_tab),
    Tab("plan_compared", N_("predicted vs. measured"), "plan", compared_tab),
)


def tabs(task: Task, panel: Panel = APP) -> list[Tab]:
    """Return the tabs of a panel for a task."""
    shown = [tab for tab in TABS if tab.key == panel.tab or tab.page in panel.pages]
    return [tab for tab in shown if tab.supports(task)]
