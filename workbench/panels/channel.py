"""The interface of the dashboard for its background work."""

from __future__ import annotations

from typing import Any, Protocol

from workbench.session import Session


class Channel(Protocol):
    """A session and the connection to its page, whose theme is a key of `THEMES`."""

    session: Session
    theme: str

    def send(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        """Send a message to the page."""

    def show_message(self, text: str) -> None:
        """Show `text` in the banner until the next change."""
