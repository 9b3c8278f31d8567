"""Sending a file, which the page saves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.panels.page import Dashboard


def send_file(view: Dashboard, name: str, mime: str, data: bytes) -> None:
    """Have the page save `data` under `name`."""
    view.send({"kind": "file", "name": name, "mime": mime}, buffers=[data])
