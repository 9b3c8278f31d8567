"""Gestures: all values of one drag are one step of the history and leave one trail of results."""

from __future__ import annotations

from collections import OrderedDict

from workbench.evaluation.report import Report
from workbench.recipe import Recipe
from workbench.session.records import History, Selection, Visit

LONGEST_TRAIL = 200


class Gesture:
    """The newest gesture of a session; not safe for threads by itself.

    Attributes
    ----------
    number : int or None
        Identifies the gesture while further values may belong to it.
    moving : bool
        Whether more values are likely to follow soon.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self.moving = False
        self._start: History | None = None
        self._trail: OrderedDict[tuple[str, Recipe], Visit] = OrderedDict()

    @property
    def trail(self) -> tuple[Visit, ...]:
        """The newest result of each recipe of the gesture, exact or estimated, oldest first."""
        return tuple(self._trail.values())

    def push(self, history: History, selection: Selection, number: int | None) -> History:
        """Return `history` with `selection`, which replaces others of the gesture `number`.

        Without a number, the selection is a step of its own, and the trail stays until the next
        gesture if it belongs to the same picture.
        """
        if number is None or number != self.number:
            self.number, self._start = number, history
            if number is not None or selection.base != history.current.base:
                self._trail.clear()
        start = history if number is None or self._start is None else self._start
        return start.push(selection)

    def end(self) -> None:
        """Make later values a new step; the trail stays."""
        self.number, self.moving = None, False

    def add(self, report: Report) -> None:
        """Add the result of a recipe to the trail, if the gesture made it."""
        if self.number is None or report.score is None or report.preview_of is not None:
            return
        visit = Visit(
            report.recipe, report.size.bytes, report.score.value, report.model, report.exact
        )
        self._trail[report.model, report.recipe] = visit
        while len(self._trail) > LONGEST_TRAIL:
            self._trail.popitem(last=False)
