"""Sending a file for the browser to save."""

from __future__ import annotations

from workbench.panels.channel import Channel


def send_file(channel: Channel, name: str, mime: str, data: bytes) -> None:
    """Send `data` to the page, which saves it as `name`."""
    channel.send({"kind": "file", "name": name, "mime": mime}, buffers=[data])
