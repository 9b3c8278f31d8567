"""The messages that describe a session to the page."""

from __future__ import annotations

from typing import Any

from workbench import formatting
from workbench.evaluation.report import Report
from workbench.i18n import _
from workbench.panels import choosing, deploying, parallel, settings, training
from workbench.panels.pages import PAGES, Panel
from workbench.panels.remaining_time import RemainingTime
from workbench.panels.selected import selected
from workbench.panels.tabs import tabs
from workbench.panels.uploads.missing import MissingModel
from workbench.panels.uploads.uploads import Uploads
from workbench.panels.views import card, layer_table, reasons, results
from workbench.panels.views.activity import has_running_work, training_activity
from workbench.panels.views.contents import contents
from workbench.panels.views.guessing import with_guessing
from workbench.panels.views.header import header, selected_student
from workbench.panels.views.labels import examples_label, page_labels
from workbench.panels.views.presets import presets
from workbench.panels.views.trial import trial
from workbench.plots import points
from workbench.recipe import Recipe
from workbench.session import Session


def description(
    session: Session, panel: Panel, open_page: str | None, uploads: Uploads
) -> dict[str, Any]:
    """Return the message from which the page builds what the panel shows."""
    message: dict[str, Any] = {
        "kind": "page",
        "labels": page_labels(session.model.task.metric),
        "pages": [
            {
                "key": known.key,
                "label": _(known.label_id),
                "model": known.model,
                "recipe": known.recipe,
                "goal": known.goal,
            }
            for known in PAGES
            if known.key in panel.pages
        ],
        "open": open_page,
        "tabs": [
            {"key": tab.key, "label": _(tab.label_id), "page": tab.page}
            for tab in tabs(session.model.task, panel)
        ],
    }
    if panel.pages or panel.fields:
        message["parts"] = settings.parts(session, panel.fields)
    if panel.pages:
        message |= {
            "header": header(session),
            "settings": settings.describe(session),
            "layers": list(session.layers),
            "layer_table": layer_table.rows(session.model),
            "training": training.section(session),
            "choosing": choosing.section(session),
            "deploying": deploying.section(session),
            "parallel": parallel.section(session),
            "upload": uploads.describe(),
            "trial": trial(session.origin_model),
            "contents": contents(session.origin_model),
            "presets": presets(session),
        }
    return message


def state(
    session: Session,
    *,
    seq: int,
    report: Report | None,
    plane: dict[str, Any] | None,
    outdated: bool,
    with_values: bool,
    message: str | None,
    note: str | None,
    missing: MissingModel | None,
    remaining: RemainingTime,
) -> dict[str, Any]:
    """Return the message with the results and flags of the session.

    Parameters
    ----------
    seq
        The sequence number of the values that the results belong to.
    report
        The results.
    plane
        The part of the picture that moves with them.
    outdated
        Whether the results belong to earlier values.
    with_values
        Whether the controls must change.
    message
        A message for the banner, if measuring did not fail.
    note
        What the last action changed that the open page does not show.
    missing
        A model that is not in memory, whose file the page asks for.
    remaining
        Estimates the time until the current recipe is measured.
    """
    file = session.file_report
    result = {
        "kind": "state",
        "seq": seq,
        "outdated": outdated,
        "plane": plane,
        "numbers": None if outdated else numbers(session, report),
        "busy": session.busy,
        "working": has_running_work(session),
        "stale": session.stale,
        "error": session.error or message,
        "note": note or session.note,
        "missing": None if missing is None else missing.describe(),
        "progress": progress(session, remaining),
        "undo": session.can_undo,
        "redo": session.can_redo,
        "query": session.query(),
        "budget": session.budget,
        "floor": session.floor,
        "model": session.origin,
        "student": selected_student(session),
        "selected": selected(session.model, session.recipe),
        "layer_table": layer_table.live(session),
        "settings": settings.state(session),
        "training": training.live(session),
        "choosing": choosing.live(session),
        "deploying": deploying.live(session),
        "parallel": parallel.live(session),
        "file": None if file is None else file.size.digest,
    }
    if with_values:
        result["values"] = settings.values(session)
    return result


def numbers(session: Session, report: Report | None) -> dict[str, Any]:
    """Return the texts of the card."""
    is_current = report is not None and report.recipe == session.recipe
    is_student = session.student is not None
    texts = card.numbers(
        report,
        points.original(session.origin_model),
        uncompressed=points.original(session.model),
        baseline=session.baseline,
        parameters=session.model.card["parameters"],
        replaced_macs=session.origin_model.card["macs"] if is_student else None,
        untouched=session.recipe == Recipe(),
        stale=session.stale,
        metric=session.model.task.metric,
        input_type=session.model.task.input_type,
        timing=session.timing if is_current else None,
        known=session.model.card["accuracy"]["validation"] | session.model.card.get("figures", {}),
    )
    texts = with_guessing(texts, session.model, report if is_current else None)
    texts["more"] = reasons.more(len(texts["reasons"]))
    name = results.summary(session.model.name, session.recipe, session.origin)
    return {**texts, "announcement": formatting.titled(name, texts["announcement"])}


def layers(session: Session) -> dict[str, Any]:
    """Return the message that adapts the page to a student in place of the model."""
    return {"kind": "layers", "layer_table": layer_table.rows(session.model)}


def progress(session: Session, remaining: RemainingTime) -> dict[str, Any] | None:
    """Return how far the measurement of the current recipe is, or None when it has ended."""
    if not session.busy:
        return None
    line = training_activity(session)
    measures = session.training is not None and session.training.over
    if line is not None and not measures:
        return {"fraction": line["fraction"], "text": line["text"]}
    if session.calibration_progress is not None:
        text = _("Collecting calibration statistics on {examples}").format(
            examples=examples_label(session.model.task.input_type)
        )
        return {"fraction": session.calibration_progress, "text": text}
    report = session.report
    score = report.score if report is not None else None
    if score is None or report is None or report.recipe != session.recipe:
        return {"fraction": None, "text": _("Creating and measuring the file")}
    fraction = score.examples / score.total
    measured = (session.model.name, report.recipe)
    seconds = remaining.seconds(measured, score.examples, score.total)
    if seconds is None:
        return {"fraction": fraction, "text": _("Measuring on all examples")}
    text = _("Measuring on all examples, about {seconds} s left")
    return {"fraction": fraction, "text": text.format(seconds=max(1, round(seconds)))}
