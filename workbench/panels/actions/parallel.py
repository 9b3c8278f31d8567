"""The action of the page Parallel: train on several processes."""

from __future__ import annotations

from typing import Any

from workbench.cancel import CancelToken
from workbench.errors import InputError
from workbench.i18n import _
from workbench.panels import parallel
from workbench.panels.actions.background import run_job
from workbench.panels.actions.registry import Dashboard, action


@action
def train_in_parallel(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Train the model on several processes with the values of the controls."""
    values = message.get("values")
    if not isinstance(values, dict):
        raise InputError(_("Choose how to train in parallel."), code="parallel.no_values")
    settings, repeats = parallel.settings(values)
    run_job("parallel", _train, dashboard, settings, repeats)


def _train(
    dashboard: Dashboard, cancel: CancelToken, settings: dict[str, Any], repeats: int
) -> None:
    dashboard.session.train_in_parallel(settings, repeats, cancel)
