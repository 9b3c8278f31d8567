"""What a guided tour leaves as it was: the selection, with its goal, and its history."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.session.records import History


@dataclass(frozen=True)
class TourStart:
    """The state before a tour.

    Attributes
    ----------
    history : History
    """

    history: History

    def restored(self, during: History) -> History:
        """Return the history after a tour that has the history `during`.

        The last selection of the tour is its only step. As after any other selection, what was
        undone before cannot be redone.
        """
        start = self.history
        if during is start:
            return during
        last = () if during.current == start.current else (during.current,)
        return History(start.current, (*start.past, *last))
