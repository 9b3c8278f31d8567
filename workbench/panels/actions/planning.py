"""The action of the page Plan: change the selection and answer it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from workbench.panels.actions.registry import Dashboard, action
from workbench.panels.error_boundary import error_boundary
from workbench.panels.views import planning
from workbench.planner.compressed import bits_per_weight

LARGEST_FILE = 2**20
"""Characters of a file that the page may send."""


@action
def plan(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Change what is planned, and send the answer; the controls too if they are new."""
    report = dashboard.session.report
    before = dashboard.session.focus.plan
    if report is not None:
        before = replace(before, file_bits=round(bits_per_weight(report.size.ledger), 4))
    changes, text = message.get("values"), message.get("file")
    selection = before.changed(changes) if isinstance(changes, dict) else before
    if isinstance(text, str) and len(text) <= LARGEST_FILE:
        with error_boundary(dashboard.show_message):
            selection = selection.with_file(text)
            dashboard.show_message("")  # hide why an earlier file was refused
    answer = {"kind": "plan", **planning.answer(selection)}
    if not isinstance(changes, dict) or selection.mode != before.mode:
        answer["fields"] = planning.fields(selection)
    dashboard.send(answer)
    if selection != dashboard.session.focus.plan:
        with dashboard.paused():
            dashboard.session.set_focus(plan=selection)
        dashboard.publish(tab=True)
