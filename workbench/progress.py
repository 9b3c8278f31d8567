"""Progress of long work: a bar on standard error in a terminal, a figure in a notebook."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.domain.metric import Metric

WIDTH = 30


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function that draws the bar, called with the amount completed and the total.

    Nothing is drawn if standard error is not a terminal.
    """
    drawn = False

    def advance(completed: int, total: int) -> None:
        nonlocal drawn
        if sys.stderr.isatty() and total:
            full = WIDTH * completed // total
            line = f"\r{label} [{'█' * full}{'·' * (WIDTH - full)}] {completed:,} of {total:,}"
            _write(line)
            drawn = True

    try:
        yield advance
    finally:
        if drawn:
            _write("\r\033[K")


def training_progress(metric: Metric) -> AbstractContextManager[Callable[[Any], None]]:
    """Return a context that shows training: as a learning curve in a notebook, else as a bar.

    It provides the function to call with each `TrainingStep`.
    """
    if in_kernel():
        live = import_module("workbench.panels.live")  # lies above
        course: AbstractContextManager[Callable[[Any], None]] = live.live_course(metric)
        return course
    return _training_bar()


def in_kernel() -> bool:
    """Whether this process is a Jupyter kernel, which can display figures."""
    ipython = sys.modules.get("IPython")  # not imported: then there is no kernel
    return getattr(ipython and ipython.get_ipython(), "kernel", None) is not None


@contextmanager
def _training_bar() -> Iterator[Callable[[Any], None]]:
    with progress_bar("training") as advance:
        yield lambda event: advance(event.step, event.steps)


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
