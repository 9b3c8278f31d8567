"""What the parts of one session share: what is chosen now, and the lock that holds it still."""

from __future__ import annotations

import threading
from collections.abc import Callable

from workbench.cache.results import ResultCache
from workbench.domain import Model
from workbench.recipe import Recipe
from workbench.session.checks import resolve_model
from workbench.session.history import History
from workbench.session.records import Selection


class SharedState:
    """What is chosen now and was before, where results are kept, and whom to tell of a change.

    The worker, the jobs and the session's verbs run in different threads: what has to fit together
    is read and changed under `lock`, which one thread may take several times. `tell` is called
    without it. `model` is that of `now`, already looked up.

    Raises
    ------
    WorkbenchError
        When there is no such model, or its recipe does not fit it.
    """

    def __init__(self, start: Selection, store: ResultCache, tell: Callable[[], None]) -> None:
        self.history = History(start)
        self.model = resolve_model(start.model, start.recipe)
        self.store = store
        self.tell = tell
        self.lock = threading.RLock()
        self.closed = False
        self._held = {self.model.name: self.model}

    def enter(self, history: History, model: Model) -> None:
        """Make `history` and the `model` of its present state the ones that count.

        The models of all its states are held, so that undo finds them; called under the lock.
        """
        self.history, self.model = history, model
        names = {moment.model for moment in (*history.past, history.now, *history.future)}
        held = {name: one for name, one in self._held.items() if name in names}
        self._held = held | {model.name: model}

    @property
    def now(self) -> Selection:
        """What is chosen now."""
        return self.history.now

    @property
    def recipe(self) -> Recipe:
        """The recipe chosen now."""
        return self.history.now.recipe
