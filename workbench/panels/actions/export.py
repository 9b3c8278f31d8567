"""Actions that download the data of charts and tables as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.i18n import _
from workbench.panels import points, tables
from workbench.panels.actions.registry import action
from workbench.panels.actions.sending import send_file
from workbench.panels.comparison import tab as comparison
from workbench.plots import ledger, sensitivity, teacher, temperature, tradeoff

if TYPE_CHECKING:
    from workbench.panels.page import Dashboard


@action
def results_csv(view: Dashboard, message: dict[str, Any]) -> None:
    """Send the table of visited recipes."""
    _send(view, "results.csv", tables.results(view.session))


@action
def chart_csv(view: Dashboard, message: dict[str, Any]) -> None:
    """Send the data of the trade-off chart."""
    session = view.session
    current = points.current(session.report)
    rows = tradeoff.rows(
        points.original(session.model), points.visited(session), current, session.model.task.metric
    )
    _send(view, "accuracy-and-size.csv", rows)


@action
def bytes_csv(view: Dashboard, message: dict[str, Any]) -> None:
    """Send the size ledger of the file."""
    if view.session.report is None:
        raise WorkbenchError(
            _("The file is being created: try again in a moment."), code="session.not_ready"
        )
    size_ledger = view.session.report.size.ledger
    _send(view, "ledger.csv", ledger.rows(size_ledger.rows, size_ledger.container))


@action
def comparison_csv(view: Dashboard, message: dict[str, Any]) -> None:
    """Send the data of the selected view of the comparison."""
    name = f"{comparison.selected_view(view.session).key}.csv"
    _send(view, name, comparison.rows(view.session))


@action
def training_csv(view: Dashboard, message: dict[str, Any]) -> None:
    """Send the learning curve."""
    curve = view.session.training.curve if view.session.training is not None else ()
    name = view.session.model.task.metric.name
    rows = [{"step": step, "loss": loss, name: value} for step, loss, value in curve]
    _send(view, "training.csv", rows)


@action
def temperature_csv(view: Dashboard, message: dict[str, Any]) -> None:
    """Send the results of students at each temperature."""
    result = view.session.sweep_result
    rows = temperature.rows(result.levels, result.metric) if result is not None else []
    _send(view, "temperature.csv", rows)


@action
def sensitivity_csv(view: Dashboard, message: dict[str, Any]) -> None:
    """Send the per-layer sensitivity."""
    result = view.session.sensitivity
    rows = sensitivity.rows(result) if result is not None else []
    _send(view, "sensitivity.csv", rows)


@action
def teacher_csv(view: Dashboard, message: dict[str, Any]) -> None:
    """Send the class probabilities that the teacher predicts for the example."""
    query = view.session.teacher_query
    if query is None or query.prediction is None:
        raise WorkbenchError(
            _("Open the training section and move the temperature."),
            code="session.nothing_to_export",
        )
    probabilities = teacher.soften(query.prediction.outputs, query.temperature)
    rows = [
        {"class": _(name), "probability": probability}
        for name, probability in zip(view.session.model.task.classes, probabilities, strict=True)
    ]
    _send(view, "teacher.csv", rows)


def _send(view: Dashboard, name: str, rows: Sequence[dict[str, Any]]) -> None:
    send_file(view, name, "text/csv", tables.to_csv(rows))
