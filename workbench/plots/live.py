"""The loss and the metric of a training run, drawn in a notebook while it continues."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING, Any

from workbench.domain.metric import Metric
from workbench.plots import course
from workbench.plots.palette import LIGHT
from workbench.plots.picture import Picture
from workbench.plots.style import Figure

if TYPE_CHECKING:
    from workbench.training.types import TrainingStep

INTERVAL = 0.5
"""Seconds between two figures at least."""
WIDTH, HEIGHT = 600, 120
"""Pixels of the drawing during training."""


@dataclass(frozen=True)
class Snapshot:
    """A figure of lines as HTML.

    JupyterLab draws a plotly output once and ignores its updates, but updates HTML. Each line is
    scaled to its own range, and the title gives the current values.
    """

    figure: Figure

    def _repr_html_(self) -> str:
        layout = self.figure["layout"]
        start, end = layout["xaxis"]["range"]
        lines = "".join(_polyline(line, start, end) for line in self.figure["data"])
        names = " ".join(
            f'<span style="color:{line["line"]["color"]}">{escape(line["name"])}</span>'
            for line in self.figure["data"]
        )
        return (
            f"<div><b>{escape(layout['title']['text'])}</b> {names}</div>"
            f'<svg width="{WIDTH}" height="{HEIGHT}" style="max-width:100%">{lines}</svg>'
        )


@contextmanager
def live_course(metric: Metric) -> Iterator[Callable[[TrainingStep], None]]:
    """Yield a function to call after each step; its first call displays the figure.

    When the context ends, the figure becomes a `Picture`.
    """
    steps: list[tuple[int, float, float]] = []
    total, next_time = 0, 0.0
    handle: Any = None

    def show(kind: type[Snapshot | Picture]) -> None:
        nonlocal handle
        picture = kind(course.draw(steps, total, LIGHT, metric))
        if handle is None:  # IPython is loaded only where it runs already: in a kernel
            handle = import_module("IPython.display").display(picture, display_id=True)
        else:
            handle.update(picture)

    def on_step(event: TrainingStep) -> None:
        nonlocal total, next_time
        steps.append((event.step, event.loss, event.value))
        total = event.steps
        if monotonic() >= next_time:
            show(Snapshot)
            next_time = monotonic() + INTERVAL

    try:
        yield on_step
    finally:
        if steps:
            show(Picture)


def _polyline(line: Mapping[str, Any], start: float, end: float) -> str:
    low, high = min(line["y"]), max(line["y"])
    spread = max(high - low, 0.01 * abs(high)) or 1.0  # else rounding errors fill the height
    places = " ".join(
        f"{WIDTH * (x - start) / (end - start):.1f},"
        f"{HEIGHT - 4 - (HEIGHT - 8) * (y - low) / spread:.1f}"
        for x, y in zip(line["x"], line["y"], strict=True)
    )
    color = line["line"]["color"]
    return f'<polyline points="{places}" fill="none" stroke="{color}" stroke-width="2"/>'
