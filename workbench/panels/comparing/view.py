"""What a view of the tab is made of, and what several of them share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.domain import Task
from workbench.i18n import _
from workbench.plots.palette import Palette
from workbench.plots.style import Figure
from workbench.session import Session
from workbench.session.analyses import AnalysisKey

if TYPE_CHECKING:
    from workbench.analysis.comparison import Comparison

COMPARISON = AnalysisKey("changes")


@dataclass(frozen=True)
class View:
    """One view of the tab.

    Its key and name, which tasks it fits, what it needs to know, what fills it, its data, its
    controls, and a sentence where there is nothing of a session that it could show.
    """

    key: str
    label: Callable[[Task], str]
    fits: Callable[[Task], bool]
    wants: Callable[[Session], AnalysisKey]
    fill: Callable[[Session, Any, Palette], dict[str, Any]]
    rows: Callable[[Session, Any], list[dict[str, Any]]]
    controls: Callable[[Session], list[dict[str, Any]]] = lambda session: []
    empty: Callable[[Session], str] = lambda session: ""


def fixed_label(label: str) -> Callable[[Task], str]:
    """Return what names a view alike for every task."""
    return lambda task: _(label)


def figure_content(
    draw: Callable[[Session, Any, Palette], Figure],
) -> Callable[[Session, Any, Palette], dict[str, Any]]:
    """Return what fills the tab with a picture, as high as its units ask for."""

    def fill(session: Session, found: Any, palette: Palette) -> dict[str, Any]:
        from workbench.plots.sheet import page_height

        figure = draw(session, found, palette)
        return {"figure": figure, "height": page_height(figure)}

    return fill


def needs_comparison(session: Session) -> AnalysisKey:
    """Ask for the changes of the validation split."""
    return COMPARISON


def cached_comparison(session: Session) -> Comparison | None:
    """Return the changes of the present file, where they are known."""
    found: Comparison | None = session.found(COMPARISON.kind, COMPARISON.of)
    return found


def has_classes(task: Task) -> bool:
    """Whether the task's examples each have a class."""
    return task.metric.counts == "classes"
