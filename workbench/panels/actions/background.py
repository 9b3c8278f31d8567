"""Work that takes a moment: in a thread of its own, with a bar that shows how far it is."""

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
    """Do `work` in a thread called `name`; what goes wrong is told on the page."""

    def run() -> None:
        with error_boundary(view.tell):
            work(view, *rest)

    threading.Thread(target=run, daemon=True, name=name).start()


@contextmanager
def progress_bar(view: Dashboard, text: str) -> Iterator[Callable[[float], None]]:
    """Show a bar meanwhile; what is yielded sets its share, from 0 to 1."""
    view.send({"kind": "task", "text": text})
    try:
        yield lambda share: view.send({"kind": "task", "text": text, "share": share})
    finally:
        view.send({"kind": "task", "text": None})
