"""The description of a view of the comparison tab, with functions that several views share."""

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

COMPARISON = AnalysisKey("comparison")


@dataclass(frozen=True)
class ComparisonView:
    """One view of the comparison tab.

    Attributes
    ----------
    supports
        Whether the view exists for a task.
    analysis
        The analysis that the view shows.
    content
        Content of the tab, see `Tab.content`, from the result of the analysis.
    rows
        The data of the view as a table.
    unavailable
        Why the view cannot show this session; empty if it can.
    """

    key: str
    label: Callable[[Task], str]
    supports: Callable[[Task], bool]
    analysis: Callable[[Session], AnalysisKey]
    content: Callable[[Session, Any, Palette], dict[str, Any]]
    rows: Callable[[Session, Any], list[dict[str, Any]]]
    controls: Callable[[Session], list[dict[str, Any]]] = lambda session: []
    unavailable: Callable[[Session], str] = lambda session: ""


def fixed_label(label: str) -> Callable[[Task], str]:
    """Return a function that gives a view the same label for every task."""
    return lambda task: _(label)


def figure_content(
    draw: Callable[[Session, Any, Palette], Figure],
) -> Callable[[Session, Any, Palette], dict[str, Any]]:
    """Return the `content` function of a view that shows one figure."""

    def content(session: Session, result: Any, palette: Palette) -> dict[str, Any]:
        from workbench.plots.sheet import page_height

        figure = draw(session, result, palette)
        return {"figure": figure, "height": page_height(figure)}

    return content


def needs_comparison(session: Session) -> AnalysisKey:
    """Return the comparison on the validation split as the analysis of a view."""
    return COMPARISON


def cached_comparison(session: Session) -> Comparison | None:
    """Return the comparison for the current file, or None if it is not computed yet."""
    result: Comparison | None = session.analysis(COMPARISON.kind, COMPARISON.target)
    return result


def has_classes(task: Task) -> bool:
    """Whether the task is a classification task."""
    return task.metric.counts == "classes"
