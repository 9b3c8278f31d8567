"""Actions that upload a model or data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.i18n import _
from workbench.panels import uploading
from workbench.panels.actions.registry import action

if TYPE_CHECKING:
    from workbench.panels.page import Dashboard


@action
def upload(view: Dashboard, message: dict[str, Any]) -> None:
    """Announce a file, whose chunks follow."""
    if not uploading.allowed():
        raise WorkbenchError(_("Uploads are disabled on this server."), code="upload.disabled")
    view.uploads.start(message.get("number"), message.get("file"), message.get("size"))


@action
def upload_chunk(view: Dashboard, message: dict[str, Any]) -> None:
    """Send the next chunk of a file."""
    view.uploads.add_chunk(message.get("number"), message["buffers"])


@action
def upload_target(view: Dashboard, message: dict[str, Any]) -> None:
    """Train a model on the uploaded table that predicts one of its columns."""
    view.uploads.choose_target(message.get("number"), message.get("target"))


@action
def upload_cancel(view: Dashboard, message: dict[str, Any]) -> None:
    """Cancel the upload."""
    view.uploads.cancel()
