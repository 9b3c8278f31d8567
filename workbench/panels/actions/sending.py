"""Sending a file for the browser to save."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.panels.channel import Channel
from workbench.panels.views import tables


def send_file(channel: Channel, name: str, mime: str, data: bytes) -> None:
    """Send `data` to the page, which saves it as `name`."""
    channel.send({"kind": "file", "name": name, "mime": mime}, buffers=[data])


def send_rows(channel: Channel, name: str, rows: Sequence[dict[str, Any]]) -> None:
    """Send `rows` to the page as CSV."""
    send_file(channel, name, "text/csv", tables.to_csv(rows))
