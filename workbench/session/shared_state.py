"""The state that the parts of one session share, and the lock that protects it."""

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
    """The history of selections, the current model, the result cache and the change notification.

    The worker, the jobs and the session's methods run in different threads. Hold `lock`, which is
    reentrant, to read or change values that must be consistent. Call `notify` without it.

    Attributes
    ----------
    model : Model
        The model of the current selection, already resolved.
    closed : bool
        Whether the session is closed.

    Raises
    ------
    WorkbenchError
        If there is no such model, or the recipe does not fit it.
    """

    def __init__(self, start: Selection, store: ResultCache, notify: Callable[[], None]) -> None:
        self.history = History(start)
        self.model = resolve_model(start.model, start.recipe)
        self.store = store
        self.notify = notify
        self.lock = threading.RLock()
        self.closed = False
        self._models = {self.model.name: self.model}

    def enter(self, history: History, model: Model) -> None:
        """Make `history` and the `model` of its current selection the active ones, under the lock.

        References to the models of the whole history are kept, so that undo finds them.
        """
        self.history, self.model = history, model
        names = {s.model for s in (*history.past, history.current, *history.future)}
        models = {name: known for name, known in self._models.items() if name in names}
        self._models = models | {model.name: model}

    @property
    def selection(self) -> Selection:
        """The current selection."""
        return self.history.current

    @property
    def recipe(self) -> Recipe:
        """The current recipe."""
        return self.history.current.recipe
