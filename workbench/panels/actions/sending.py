"""Sending a file for the browser to save."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.panels.page import Dashboard


def send_file(view: Dashboard, name: str, mime: str, data: bytes) -> None:
    """Send `data` to the page, which saves it as `name`."""
    view.send({"kind": "file", "name": name, "mime": mime}, buffers=[data])
