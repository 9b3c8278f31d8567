"""Actions that upload a model or data."""

from __future__ import annotations

from typing import Any

from workbench.errors import WorkbenchError
from workbench.i18n import _
from workbench.panels import uploading
from workbench.panels.actions.registry import Dashboard, action


@action
def upload(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Announce a file, whose chunks follow."""
    if not uploading.allowed():
        raise WorkbenchError(_("Uploads are disabled on this server."), code="upload.disabled")
    dashboard.uploads.start(message.get("number"), message.get("file"), message.get("size"))


@action
def upload_chunk(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Send the next chunk of a file."""
    dashboard.uploads.add_chunk(message.get("number"), message["buffers"])


@action
def upload_target(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Train a model on the uploaded table that predicts one of its columns."""
    dashboard.uploads.choose_target(message.get("number"), message.get("target"))


@action
def upload_cancel(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Cancel the upload."""
    dashboard.uploads.cancel()
