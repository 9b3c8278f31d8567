"""What was chosen, one state after another: what undo and redo go through."""

from __future__ import annotations

from dataclasses import dataclass, replace

from workbench.session.records import Selection

LONGEST_HISTORY = 500


@dataclass(frozen=True)
class History:
    """The present state, those before it, and those that were undone; the newest stand last."""

    now: Selection
    past: tuple[Selection, ...] = ()
    future: tuple[Selection, ...] = ()

    def go(self, moment: Selection) -> History:
        """Return the history in which `moment` was chosen next."""
        if moment == self.now:
            return self
        return History(moment, (*self.past[-LONGEST_HISTORY:], self.now))

    def back(self) -> History:
        """Return the history one state earlier, or this one where there is none."""
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (*self.future, self.now))

    def forward(self) -> History:
        """Return the history with the state undone last, or this one where there is none."""
        if not self.future:
            return self
        return History(self.future[-1], (*self.past, self.now), self.future[:-1])

    def without_current(self) -> History:
        """Return the history as if the present state had not been chosen."""
        if not self.past:
            return self
        return replace(self, now=self.past[-1], past=self.past[:-1])

    def with_current(self, moment: Selection) -> History:
        """Return the history in which the present state has become `moment`: no step of its own."""
        return replace(self, now=moment)
