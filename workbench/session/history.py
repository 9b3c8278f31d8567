"""Undo and redo: an immutable history of selections."""

from __future__ import annotations

from dataclasses import dataclass, replace

from workbench.session.records import Selection

LONGEST_HISTORY = 500


@dataclass(frozen=True)
class History:
    """The current selection, earlier ones, and undone ones; the most recent is last in each."""

    current: Selection
    past: tuple[Selection, ...] = ()
    future: tuple[Selection, ...] = ()

    def push(self, selection: Selection) -> History:
        """Return the history with `selection` as the new current one."""
        if selection == self.current:
            return self
        return History(selection, (*self.past[-LONGEST_HISTORY:], self.current))

    def undo(self) -> History:
        """Return the history one step back, or this one if there is no earlier selection."""
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (*self.future, self.current))

    def redo(self) -> History:
        """Return the history with the last undone selection, or this one if there is none."""
        if not self.future:
            return self
        return History(self.future[-1], (*self.past, self.current), self.future[:-1])

    def without_current(self) -> History:
        """Return the history as if the current selection had never been made."""
        if not self.past:
            return self
        return replace(self, current=self.past[-1], past=self.past[:-1])

    def with_current(self, selection: Selection) -> History:
        """Return the history with the current selection replaced, without a new step."""
        return replace(self, current=selection)
