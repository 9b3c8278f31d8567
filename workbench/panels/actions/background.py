"""Long operations: a background thread and a progress bar."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVarTuple

from workbench.panels.actions.registry import Dashboard
from workbench.panels.channel import Channel
from workbench.panels.error_boundary import error_boundary

Rest = TypeVarTuple("Rest")


def run_in_background(
    name: str, work: Callable[[Dashboard, *Rest], None], dashboard: Dashboard, *rest: *Rest
) -> None:
    """Run `work` in a thread called `name`; errors appear in the banner of the page."""

    def run() -> None:
        with error_boundary(dashboard.show_message):
            work(dashboard, *rest)

    threading.Thread(target=run, daemon=True, name=name).start()


@contextmanager
def progress_bar(channel: Channel, text: str) -> Iterator[Callable[..., None]]:
    """Show a progress bar; yield the function that sets its fraction, from 0 to 1, and its text."""
    message = {"kind": "progress", "text": text}
    channel.send(message)

    def show(fraction: float, text: str = text) -> None:
        channel.send({**message, "fraction": fraction, "text": text})

    try:
        yield show
    finally:
        channel.send({**message, "text": None})
