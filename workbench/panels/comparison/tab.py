"""The comparison tab: the list of views, the selected view and its content."""

from __future__ import annotations

from typing import Any

from workbench.domain import Task
from workbench.errors import WorkbenchError
from workbench.i18n import _
from workbench.panels.buttons import choice
from workbench.panels.comparison.attribution import ATTRIBUTION
from workbench.panels.comparison.classes import CONFUSION, RECALL
from workbench.panels.comparison.examples import EXAMPLES
from workbench.panels.comparison.generation import GENERATION
from workbench.panels.comparison.numbers import CHANGED_ROWS, NUMBERS
from workbench.panels.comparison.view import ComparisonView
from workbench.panels.comparison.weights import WEIGHTS
from workbench.plots.palette import Palette
from workbench.plots.style import Figure
from workbench.session import Session
from workbench.session.analyses import AnalysisKey

VIEWS = (GENERATION, NUMBERS, CHANGED_ROWS, EXAMPLES, RECALL, CONFUSION, ATTRIBUTION, WEIGHTS)


def tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the content of the selected view, or a note until its analysis is cached."""
    selected, task = selected_view(session), session.model.task
    controls = [
        choice("view", _("view"), selected.key, [(x.key, x.label(task)) for x in views(task)]),
        *selected.controls(session),
    ]
    if reason := selected.unavailable(session):
        return {"controls": controls, "note": reason, "keep": False}
    result = _cached_result(session, selected)
    if result is None:
        note = _("The comparison starts when the exact results are available.")
        return {"controls": controls, "note": note, "keep": True}
    content = selected.content(session, result, palette)
    if session.student is not None and "figure" in content:
        content = {**content, "figure": _of_student(content["figure"])}
    return {"controls": controls, **content}


def _of_student(figure: Figure) -> Figure:
    """Return the figure with a title that says what the file is compared with.

    All other numbers of the page compare it with the model that the student has replaced.
    """
    title = figure["layout"]["title"]
    text = _("{finding} (compared with the uncompressed student)").format(finding=title["text"])
    return {**figure, "layout": {**figure["layout"], "title": {**title, "text": text}}}


def views(task: Task) -> list[ComparisonView]:
    """Return the views for a task."""
    return [x for x in VIEWS if x.supports(task)]


def selected_view(session: Session) -> ComparisonView:
    """Return the selected view, or the first one if the task does not support it."""
    supported = views(session.model.task)
    return next((x for x in supported if x.key == session.focus.view), supported[0])


def missing_analysis(session: Session) -> AnalysisKey | None:
    """Return the analysis of the selected view if it is not cached yet, else None."""
    selected = selected_view(session)
    if selected.unavailable(session) or _cached_result(session, selected) is not None:
        return None
    return selected.analysis(session)


def rows(session: Session) -> list[dict[str, Any]]:
    """Return the data of the selected view.

    Raises
    ------
    WorkbenchError
        If the view has nothing to show, or its analysis is not finished.
    """
    selected = selected_view(session)
    if reason := selected.unavailable(session):
        raise WorkbenchError(reason, code="session.nothing_to_export")
    result = _cached_result(session, selected)
    if result is None:
        raise WorkbenchError(
            _("The comparison is not finished: try again in a moment."), code="session.not_ready"
        )
    return selected.rows(session, result)


def _cached_result(session: Session, selected: ComparisonView) -> Any:
    key = selected.analysis(session)
    return session.analysis(key.kind, key.target)
