"""Actions that download the data of charts and tables as CSV."""

from __future__ import annotations

from typing import Any

from workbench.errors import WorkbenchError
from workbench.i18n import _
from workbench.panels.actions.registry import Dashboard, action
from workbench.panels.actions.sending import send_rows
from workbench.panels.comparison import tab as comparison
from workbench.panels.landmarks import landmarks
from workbench.panels.views import planning, tables
from workbench.plots import (
    course,
    ledger,
    plan,
    plan_validation,
    points,
    sensitivity,
    teacher,
    temperature,
    tradeoff,
)
from workbench.plots.goal import Goal


@action
def results_csv(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Send the table of visited recipes."""
    send_rows(dashboard, "results.csv", tables.results(dashboard.session))


@action
def chart_csv(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Send the data of the trade-off chart."""
    session = dashboard.session
    current = points.current(session.report)
    rows = tradeoff.rows(
        points.original(session.origin_model),
        points.visited(session.visited, session.origin),
        current,
        session.model.task.metric,
        landmarks=landmarks(session),
        goal=Goal(session.budget, session.floor),
    )
    send_rows(dashboard, "accuracy-and-size.csv", rows)


@action
def bytes_csv(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Send the size ledger of the file."""
    if dashboard.session.report is None:
        raise WorkbenchError(
            _("The file is being created: try again in a moment."), code="session.not_ready"
        )
    send_rows(dashboard, "ledger.csv", ledger.rows(dashboard.session.report.size.ledger))


@action
def comparison_csv(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Send the data of the selected view of the comparison."""
    name = f"{comparison.selected_view(dashboard.session).key}.csv"
    send_rows(dashboard, name, comparison.rows(dashboard.session))


@action
def training_csv(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Send the course of the training run."""
    progress, metric = dashboard.session.training, dashboard.session.model.task.metric
    send_rows(dashboard, "training.csv", [] if progress is None else course.rows(progress, metric))


@action
def temperature_csv(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Send the results of students at each temperature."""
    result = dashboard.session.sweep_result
    rows = temperature.rows(result.levels, result.metric) if result is not None else []
    send_rows(dashboard, "temperature.csv", rows)


@action
def sensitivity_csv(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Send the per-layer sensitivity."""
    result = dashboard.session.sensitivity
    rows = sensitivity.rows(result) if result is not None else []
    send_rows(dashboard, "sensitivity.csv", rows)


@action
def teacher_csv(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Send the class probabilities that the teacher predicts for the example."""
    query = dashboard.session.teacher_query
    if query is None or query.prediction is None:
        raise WorkbenchError(
            _("Show an example first: there is no prediction to save."),
            code="session.nothing_to_export",
        )
    probabilities = teacher.soften(query.prediction.outputs, query.temperature)
    rows = [
        {"class": _(name), "probability": probability}
        for name, probability in zip(
            dashboard.session.model.task.classes, probabilities, strict=True
        )
    ]
    send_rows(dashboard, "teacher.csv", rows)


@action
def plan_memory_csv(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Send the memory of the plan by kind."""
    send_rows(dashboard, "memory.csv", plan.rows(dashboard.session.focus.plan.plan()))


@action
def plan_chips_csv(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Send the plan on every chip."""
    send_rows(dashboard, "chips.csv", planning.chip_rows(dashboard.session.focus.plan))


@action
def plan_rows_csv(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Send the measured rows that are nearest to the plan."""
    send_rows(dashboard, "rows.csv", planning.nearest_rows(dashboard.session.focus.plan))


@action
def plan_compared_csv(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Send all predictions with their measured values."""
    from workbench.planner.validation import plan_validation as validation

    send_rows(dashboard, "predicted-and-measured.csv", plan_validation.rows(validation()))
