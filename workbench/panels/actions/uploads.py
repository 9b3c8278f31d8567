"""Actions that upload a model or data, and that remove the models of uploads."""

from __future__ import annotations

from typing import Any

from workbench.panels.actions.background import run_in_background
from workbench.panels.actions.registry import Dashboard, action
from workbench.panels.uploads import texts


@action
def upload(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Announce a file, whose chunks follow."""
    texts.check_allowed()
    dashboard.uploads.start(
        message.get("number"), message.get("file"), message.get("size"), message.get("choices")
    )


@action
def upload_chunk(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Send the next chunk of a file."""
    dashboard.uploads.add_chunk(message.get("number"), message["buffers"])


@action
def upload_check(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Inspect the uploaded data again with other choices."""
    dashboard.uploads.check(message.get("number"), message.get("edit"), message.get("choices"))


@action
def upload_train(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Train a model on the uploaded data."""
    dashboard.uploads.train(message.get("number"))


@action
def upload_cancel(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Cancel training, or else the upload."""
    dashboard.uploads.cancel()


@action
def show_learned(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Show the figures of a model of the user's data."""
    run_in_background("learned", _show_learned, dashboard, str(message.get("key")))


@action
def remove_model(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Remove a model of an upload, and free its memory."""
    dashboard.uploads.models.remove(str(message.get("key")))
    dashboard.publish(full=True)


@action
def forget_missing(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Stop asking for the file of a model that is no longer in memory."""
    dashboard.uploads.missing = None
    dashboard.publish()


def _show_learned(dashboard: Dashboard, name: str) -> None:
    dashboard.uploads.show_figures(name)
