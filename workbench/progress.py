"""Progress of long work: a bar on standard error in a terminal, a figure in a notebook."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Protocol

WIDTH = 30


class Advance(Protocol):
    """Draws a progress bar."""

    def __call__(self, completed: int, total: int, note: str = "") -> None:
        """Draw the bar at `completed` of `total`, with a note."""


@contextmanager
def progress_bar(label: str) -> Iterator[Advance]:
    """Yield a function that draws the bar, called with the amount completed and the total.

    Nothing is drawn if standard error is not a terminal. A note is drawn after the numbers.
    """
    drawn = False

    def advance(completed: int, total: int, note: str = "") -> None:
        nonlocal drawn
        if sys.stderr.isatty() and total:
            full = WIDTH * completed // total
            line = f"\r{label} [{'█' * full}{'·' * (WIDTH - full)}] {completed:,} of {total:,}"
            _write(f"{line}  {note}\033[K" if note else line)
            drawn = True

    try:
        yield advance
    finally:
        if drawn:
            _write("\r\033[K")


class TrainingDisplay(Protocol):
    """What shows the course of a training run."""

    def begin(self, recipe: Any, seconds: float | None) -> None:
        """Show that training begins; with `seconds`, the number of steps is measured first."""

    def watch(self, recipe: Any) -> Callable[[Any], None]:
        """Return the function to call with each `TrainingStep`."""

    def finish(self, artifact: Any) -> None:
        """Show the result."""


def in_kernel() -> bool:
    """Whether this process is a Jupyter kernel, which can display figures."""
    ipython = sys.modules.get("IPython")  # not imported: then there is no kernel
    return getattr(ipython and ipython.get_ipython(), "kernel", None) is not None


@contextmanager
def training_display(model: Any) -> Iterator[TrainingDisplay | None]:
    """Yield a display of the training of `model`; None where a user would not see it.

    In a notebook it is a figure, in a terminal a bar with the value of the last point.
    """
    if in_kernel():
        panels = import_module("workbench.panels.live_training")  # lies above
        with panels.live_training(model) as display:
            yield display
    elif sys.stderr.isatty():
        with progress_bar("training") as advance:
            yield TerminalDisplay(model, advance)
    else:
        yield None


class TerminalDisplay:
    """Shows one training run as a progress bar."""

    def __init__(self, model: Any, advance: Advance) -> None:
        self._model = model
        self._advance = advance

    def begin(self, recipe: Any, seconds: float | None) -> None:
        """Show nothing: measuring the speed takes a few seconds."""

    def watch(self, recipe: Any) -> Callable[[Any], None]:
        """Return the function to call after each step."""
        return draw_steps(self._model, self._advance)

    def finish(self, artifact: Any) -> None:
        """Show nothing: the bar disappears."""


def draw_steps(model: Any, advance: Advance) -> Callable[[Any], None]:
    """Return the function that draws each `TrainingStep` as a bar.

    In a terminal, the last value of the file as it would be at that step follows the numbers.
    """
    course: Any = None
    value = ""

    def on_step(event: Any) -> None:
        nonlocal course, value
        if sys.stderr.isatty():
            if course is None:
                make = import_module("workbench.evaluation.course").Course  # lies above
                course = make(model, event.file().recipe)
            for _step, score in course.add(event):
                value = model.task.metric.format(score.value)
        advance(event.step, event.steps, value)

    return on_step


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
