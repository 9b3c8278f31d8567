"""Actions that try the current file on new rows or pictures."""

from __future__ import annotations

from typing import Any

from workbench.panels.actions.background import run_in_background
from workbench.panels.actions.registry import Dashboard, action
from workbench.panels.actions.sending import send_file
from workbench.panels.uploads import texts


@action
def try_values(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Predict from typed values."""
    run_in_background("trial", _try_values, dashboard, message)


@action
def try_file(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Announce a file of new rows or pictures, whose chunks follow as those of an upload."""
    texts.check_allowed()
    dashboard.uploads.start_trial(message.get("number"), message.get("file"), message.get("size"))


@action
def save_predictions(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Send the newest predictions as a file."""
    send_file(dashboard, "predictions.csv", "text/csv", dashboard.uploads.trial.csv())


def _try_values(dashboard: Dashboard, message: dict[str, Any]) -> None:
    dashboard.uploads.trial.predict_values(message.get("number"), message.get("values"))
