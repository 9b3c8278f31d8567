"""The values of the controls that the page has sent, and which of them a result belongs to."""

from __future__ import annotations

from collections import OrderedDict

from workbench.recipe import Recipe

Selected = tuple[str, Recipe]
"""The name of a model and a recipe."""
MAX_KNOWN = 64
"""Selections of a drag whose results may still arrive."""


class PageValues:
    """Sequence numbers of the page: each message with values has a number, one more than the last.

    Actions hold the number of the values sent before them. As a waiting message with values is
    replaced by a newer one, an action may arrive before the values that were sent before it, and
    values of earlier gestures may not arrive by themselves. Both messages repeat those that the
    page does not know to have arrived, so the same values may arrive several times.
    """

    def __init__(self, selected: Selected) -> None:
        self._newest: tuple[int, Selected | None] = (0, selected)
        self._known: OrderedDict[Selected, int] = OrderedDict()
        self._current = 0  # of the newest values that the session has
        self._shown = 0  # of the newest values whose results the page shows
        self._last = 0

    def receive(self, seq: int) -> bool:
        """Record that values have arrived; return False if these or later ones had before."""
        if seq <= self._newest[0]:
            return False
        self._newest = seq, None
        return True

    def select(self, selected: Selected) -> None:
        """Record what the newest values select."""
        seq, _previous = self._newest
        self._newest = seq, selected
        self._known[selected] = seq
        self._known.move_to_end(selected)
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)

    def drop(self, seq: int) -> None:
        """Drop values up to `seq` that arrive later: an action selects another recipe."""
        seq = max(seq, self._newest[0])
        self._current = seq
        self._newest = seq, None

    def rest(self, seq: int) -> None:
        """Record that the values `seq` are the last ones of their drag."""
        self._last = seq

    @property
    def resting(self) -> bool:
        """Whether the newest values are the last ones of their drag."""
        return self._newest[0] <= self._last

    def current(self, selected: Selected) -> int:
        """Return the number of the values of `selected`, which the session has selected."""
        seq, newest = self._newest
        if selected == newest:
            self._current = seq
        return self._current

    def of_earlier(self, selected: Selected) -> tuple[int, bool]:
        """Return the number of earlier values, and whether the page already shows newer ones."""
        seq = self._known.get(selected, 0)
        return (seq, False) if seq > self._shown else (self._current, True)

    def show(self, seq: int) -> None:
        """Record that the page shows the results of the values `seq`."""
        self._shown = seq
