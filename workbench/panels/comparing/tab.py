"""The tab: the views there are, which of them is shown, and what fills it."""

from __future__ import annotations

from typing import Any

from workbench.domain import Task
from workbench.errors import WorkbenchError
from workbench.i18n import _
from workbench.panels.buttons import choice
from workbench.panels.comparing.attribution import ATTRIBUTION
from workbench.panels.comparing.classes import CONFUSION, RECALL
from workbench.panels.comparing.examples import EXAMPLES
from workbench.panels.comparing.view import View
from workbench.panels.comparing.weights import WEIGHTS
from workbench.panels.comparing.written import WRITTEN
from workbench.plots.palette import Palette
from workbench.session import Session
from workbench.session.analyses import AnalysisKey

VIEWS = (WRITTEN, EXAMPLES, RECALL, CONFUSION, ATTRIBUTION, WEIGHTS)


def tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the chosen view, as far as what it shows is known."""
    view, task = selected_view(session), session.model.task
    bar = [
        choice("view", _("view"), view.key, [(one.key, one.label(task)) for one in views(task)]),
        *view.controls(session),
    ]
    if nothing := view.empty(session):
        return {"controls": bar, "note": nothing, "keep": False}
    found = _found(session, view)
    if found is None:
        waits = _("Comparing the original and the file, once the numbers are exact.")
        return {"controls": bar, "note": waits, "keep": True}
    return {"controls": bar, **view.fill(session, found, palette)}


def views(task: Task) -> list[View]:
    """Return the views that a task can have."""
    return [view for view in VIEWS if view.fits(task)]


def selected_view(session: Session) -> View:
    """Return the chosen view, or the first where the task does not have it."""
    fitting = views(session.model.task)
    return next((view for view in fitting if view.key == session.focus.view), fitting[0])


def missing_analysis(session: Session) -> AnalysisKey | None:
    """Return what the chosen view still needs to know, or None."""
    view = selected_view(session)
    if view.empty(session):
        return None
    wanted = view.wants(session)
    return wanted if session.found(wanted.kind, wanted.of) is None else None


def rows(session: Session) -> list[dict[str, Any]]:
    """Return the data of the chosen view.

    Raises
    ------
    WorkbenchError
        While it is not known.
    """
    view = selected_view(session)
    if nothing := view.empty(session):
        raise WorkbenchError(nothing)
    found = _found(session, view)
    if found is None:
        raise WorkbenchError(_("The comparison is being made: try again in a moment."))
    return view.rows(session, found)


def _found(session: Session, view: View) -> Any:
    wanted = view.wants(session)
    return session.found(wanted.kind, wanted.of)
