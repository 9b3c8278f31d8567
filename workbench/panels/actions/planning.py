"""The action of the page Plan: change the selection and answer it."""

from __future__ import annotations

from typing import Any

from workbench.panels.actions.registry import Dashboard, action
from workbench.panels.views import planning


@action
def plan(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Change what is planned, and send the answer; the controls too if they are new."""
    before = dashboard.session.focus.plan
    changes = message.get("values")
    selection = before.changed(changes) if isinstance(changes, dict) else before
    answer = {"kind": "plan", **planning.answer(selection)}
    if not isinstance(changes, dict) or selection.mode != before.mode:
        answer["fields"] = planning.fields(selection)
    dashboard.send(answer)
    if selection != before:
        with dashboard.paused():
            dashboard.session.set_focus(plan=selection)
        dashboard.publish(tab=True)
