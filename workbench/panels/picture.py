"""The picture of the page: the chart, and the part of it that moves together with the numbers."""

from __future__ import annotations

from math import log10
from typing import Any

from workbench import formatting
from workbench.evaluation.report import Report
from workbench.i18n import _
from workbench.panels.landmarks import landmarks, student_marks
from workbench.plots import points, scales, tradeoff
from workbench.plots.finding import finding
from workbench.plots.goal import Goal
from workbench.plots.palette import Palette
from workbench.plots.spots import Spot, hover_text
from workbench.plots.style import Figure
from workbench.recipe import Recipe
from workbench.session import Session
from workbench.session.records import Visit


class Picture:
    """The trade-off of a session, with the last point whose metric is known."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._last: Spot | None = None
        self._shown = session.origin

    def figure(self, palette: Palette) -> Figure:
        """Return the chart as a plotly figure."""
        session = self._session
        return tradeoff.draw(
            self._original,
            points.visited(session.visited, session.origin),
            self._you(session.report),
            palette,
            goal=Goal(session.budget, session.floor),
            landmarks=landmarks(session),
            trail=points.trail(session.trail, session.origin),
            metric=session.model.task.metric,
        )

    def live(self, report: Report | None) -> dict[str, Any]:
        """Return what the page moves with the numbers of `report`, in units of the axes.

        `title` is the finding; `you` is the newest point with a metric, `faint` if it belongs to
        an earlier recipe; `size` is that of a file whose metric is not known yet, `trail` the
        results of the drag, and `marks` are students.
        """
        session, metric = self._session, self._session.model.task.metric
        you, faint = self._you(report), self._known(report) is None
        size = report.size.bytes if report is not None and faint else None
        up = tradeoff.value_axis(self._original, landmarks(session), metric)
        return {
            "title": finding(self._original, you, metric, size, outdated=faint),
            "you": None if you is None else _place(you, self._original, up),
            "faint": faint,
            "size": log10(size) if size else None,
            "trail": [
                [log10(visit.bytes), up.height(visit.value), visit.exact, self._hover(visit)]
                for visit in session.trail
            ],
            "marks": [
                {"kind": mark.kind, "label": mark.label, **_place(mark.spot, self._original, up)}
                for mark in student_marks(session.student)
            ],
        }

    def frame(self) -> dict[str, Any]:
        """Return the ranges of the axes and the limits of the goal, in units of the axes."""
        session = self._session
        up = tradeoff.value_axis(self._original, landmarks(session), session.model.task.metric)
        visited, floor = points.visited(session.visited, session.origin), session.floor
        return {
            "x": list(tradeoff.size_range(self._original, visited, landmarks(session))),
            "y": list(up.range),
            "budget": log10(session.budget) if session.budget else None,
            "floor": up.height(floor) if floor else None,
        }

    def _hover(self, visit: Visit) -> str:
        """Return what a dot of the trail says."""
        metric = self._session.model.task.metric
        value, size = metric.format(visit.value), formatting.nbytes(visit.bytes)
        if visit.exact:
            return f"{value}\n{size}\n{_('click to select it')}"
        estimate = _("about {value}, from a few examples").format(value=value)
        return f"{estimate}\n{size}\n{_('click to select and measure it')}"

    @property
    def _original(self) -> Spot:
        return points.original(self._session.origin_model)

    def _you(self, report: Report | None) -> Spot | None:
        session = self._session
        if session.origin != self._shown:
            self._shown, self._last = session.origin, None
        self._last = self._known(report) or self._last
        return self._last

    def _known(self, report: Report | None) -> Spot | None:
        """Return the point of `report`, or that of the model card before the first report."""
        if report is None and self._session.recipe == Recipe():
            return points.original(self._session.model)
        return points.current(report)


def _place(spot: Spot, original: Spot, up: scales.Axis) -> dict[str, Any]:
    return {
        "x": log10(spot.bytes),
        "y": up.height(spot.value),
        "low": up.height(spot.low),
        "high": up.height(spot.high),
        "exact": spot.exact,
        "hover": hover_text(spot, original, up.metric, "\n"),
    }
