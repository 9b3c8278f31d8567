"""Uploading a model or data of the person's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.i18n import _
from workbench.panels import uploading
from workbench.panels.actions.registry import action

if TYPE_CHECKING:
    from workbench.panels.page import Dashboard


@action
def upload(view: Dashboard, asked: dict[str, Any]) -> None:
    """Take a file of the person's own, of which the bytes follow."""
    if not uploading.allowed():
        raise WorkbenchError(_("This server takes no uploads."))
    view.uploads.begin(asked.get("number"), asked.get("file"), asked.get("size"))


@action
def upload_part(view: Dashboard, asked: dict[str, Any]) -> None:
    """Take the next bytes of it."""
    view.uploads.part(asked.get("number"), asked["buffers"])


@action
def upload_target(view: Dashboard, asked: dict[str, Any]) -> None:
    """Train on the table that was uploaded, to predict one of its columns."""
    view.uploads.choose(asked.get("number"), asked.get("target"))


@action
def upload_cancel(view: Dashboard, asked: dict[str, Any]) -> None:
    """Give the upload up."""
    view.uploads.cancel()
