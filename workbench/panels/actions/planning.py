"""The action of the page Plan: change the selection and answer it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from workbench.panels.actions.registry import Dashboard, action
from workbench.panels.error_boundary import error_boundary
from workbench.panels.views import planning
from workbench.planner.compressed import bits_per_weight


@action
def plan(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Change what is planned, and send the answer; the controls too if they are new.

    A file may come instead of changes: its name and its text, which is None if it is too large.
    """
    report, before = dashboard.session.file_report, dashboard.session.focus.plan
    if report is not None:
        before = replace(before, file_bits=round(bits_per_weight(report.size.ledger), 4))
    changes, file = message.get("values"), message.get("file")
    selection = before.changed(changes) if isinstance(changes, dict) else before
    refused: list[str] = []
    if isinstance(file, dict):
        with error_boundary(refused.append):
            selection = selection.with_file(str(file.get("name")), file.get("text"))
    answer = {"kind": "plan", **planning.answer(selection)}
    if isinstance(file, dict):
        answer["refused"] = "".join(refused)
    if not isinstance(changes, dict) or selection.mode != before.mode:
        answer["fields"] = planning.fields(selection)
    dashboard.send(answer)
    if selection != dashboard.session.focus.plan:
        with dashboard.paused():
            dashboard.session.set_focus(plan=selection)
        dashboard.publish(tab=True)
