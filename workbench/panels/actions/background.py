"""Long operations: a background thread and a progress bar."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVarTuple

from workbench.panels.error_boundary import error_boundary

if TYPE_CHECKING:
    from workbench.panels.page import Dashboard

Rest = TypeVarTuple("Rest")


def run_in_background(
    name: str, work: Callable[[Dashboard, *Rest], None], view: Dashboard, *rest: *Rest
) -> None:
    """Run `work` in a thread called `name`; errors appear in the banner of the page."""

    def run() -> None:
        with error_boundary(view.show_message):
            work(view, *rest)

    threading.Thread(target=run, daemon=True, name=name).start()


@contextmanager
def progress_bar(view: Dashboard, text: str) -> Iterator[Callable[[float], None]]:
    """Show a progress bar; yield the function that sets its fraction, from 0 to 1."""
    view.send({"kind": "progress", "text": text})
    try:
        yield lambda fraction: view.send({"kind": "progress", "text": text, "fraction": fraction})
    finally:
        view.send({"kind": "progress", "text": None})
