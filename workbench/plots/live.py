"""The loss and the metric of a training run, drawn in a notebook while it continues."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING, Any

from workbench.domain.metric import Metric
from workbench.plots import course
from workbench.plots.palette import LIGHT
from workbench.plots.picture import Picture

if TYPE_CHECKING:
    from workbench.training.types import TrainingStep

INTERVAL = 0.5
"""Seconds between two figures at least."""


@contextmanager
def live_course(metric: Metric) -> Iterator[Callable[[TrainingStep], None]]:
    """Yield a function to call after each step; its first call displays the figure."""
    steps: list[tuple[int, float, float]] = []
    total, drawn, next_time = 0, 0, 0.0
    handle: Any = None

    def show() -> None:
        nonlocal handle, drawn
        drawn = len(steps)
        picture = Picture(course.draw(steps, total, LIGHT, metric))
        if handle is None:  # IPython is loaded only where it runs already: in a kernel
            handle = import_module("IPython.display").display(picture, display_id=True)
        else:
            handle.update(picture)

    def on_step(event: TrainingStep) -> None:
        nonlocal total, next_time
        steps.append((event.step, event.loss, event.value))
        total = event.steps
        if monotonic() >= next_time:
            show()
            next_time = monotonic() + INTERVAL

    try:
        yield on_step
    finally:
        if len(steps) > drawn:
            show()
