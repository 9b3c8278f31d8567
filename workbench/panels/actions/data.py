"""Downloading as CSV what pictures and tables show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.i18n import _
from workbench.panels import points, tables
from workbench.panels.actions.registry import action
from workbench.panels.actions.sending import send_file
from workbench.panels.comparing import tab as comparing
from workbench.plots import ledger, sensitivity, teacher, temperature, tradeoff

if TYPE_CHECKING:
    from workbench.panels.page import Dashboard


@action
def results_csv(view: Dashboard, asked: dict[str, Any]) -> None:
    """Send the table of results."""
    _send(view, "results.csv", tables.results(view.session))


@action
def picture_csv(view: Dashboard, asked: dict[str, Any]) -> None:
    """Send the data of the main picture."""
    session = view.session
    you = points.current(session.report)
    rows = tradeoff.rows(
        points.original(session.model), points.visited(session), you, session.model.task.metric
    )
    _send(view, "accuracy-and-size.csv", rows)


@action
def bytes_csv(view: Dashboard, asked: dict[str, Any]) -> None:
    """Send the data of the ledger's picture."""
    if view.session.report is None:
        raise WorkbenchError(_("The file is being made: try again in a moment."))
    found = view.session.report.size.ledger
    rows = ledger.rows(found.rows, found.container)
    _send(view, "ledger.csv", rows)


@action
def changed_csv(view: Dashboard, asked: dict[str, Any]) -> None:
    """Send the data of the view of what changed."""
    name = f"{comparing.selected_view(view.session).key}.csv"
    _send(view, name, comparing.rows(view.session))


@action
def training_csv(view: Dashboard, asked: dict[str, Any]) -> None:
    """Send the course of training."""
    course = view.session.training.curve if view.session.training is not None else ()
    name = view.session.model.task.metric.name
    rows = [{"step": step, "loss": loss, name: value} for step, loss, value in course]
    _send(view, "training.csv", rows)


@action
def temperature_csv(view: Dashboard, asked: dict[str, Any]) -> None:
    """Send what students reach at each temperature."""
    tried = view.session.sweep_result
    rows = temperature.rows(tried.levels, tried.metric) if tried is not None else []
    _send(view, "temperature.csv", rows)


@action
def sensitivity_csv(view: Dashboard, asked: dict[str, Any]) -> None:
    """Send what each layer alone bears."""
    found = view.session.sensitivity
    rows = sensitivity.rows(found) if found is not None else []
    _send(view, "sensitivity.csv", rows)


@action
def teacher_csv(view: Dashboard, asked: dict[str, Any]) -> None:
    """Send what the teacher thinks of the example."""
    question = view.session.teacher_query
    if question is None or question.prediction is None:
        raise WorkbenchError(_("Open the training section and move the temperature."))
    shares = teacher.soften(question.prediction.outputs, question.temperature)
    rows = [
        {"class": _(name), "probability": share}
        for name, share in zip(view.session.model.task.classes, shares, strict=True)
    ]
    _send(view, "teacher.csv", rows)


def _send(view: Dashboard, name: str, rows: Sequence[dict[str, Any]]) -> None:
    send_file(view, name, "text/csv", tables.to_csv(rows))
