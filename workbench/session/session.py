"""The session: everything one user can do. A worker thread measures the selected recipe.

It does not depend on widgets and does not import torch; the worker does, in the background.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from workbench import zoo
from workbench.cache.results import ResultCache, default_result_cache
from workbench.domain import Model
from workbench.errors import UnknownNameError, WorkbenchError
from workbench.i18n import _
from workbench.planner.selection import PlanSelection
from workbench.recipe import Recipe, Train
from workbench.recipe.off import without_idle_factorization
from workbench.recipe.presets import PRESETS
from workbench.session.checks import (
    check_origin,
    check_training,
    resolve_model,
    without_layers,
)
from workbench.session.deploy_jobs import DeployJobs
from workbench.session.gesture import Gesture
from workbench.session.goal_steps import GoalSteps
from workbench.session.link import DEFAULT_MODEL, Link, format_link, parse_link
from workbench.session.parallel_run import read_run
from workbench.session.records import Focus, Goal, History, Selection, Visit
from workbench.session.state import State
from workbench.session.worker import Worker
from workbench.zoo.students import Student

UNTOUCHED = Recipe()


class Session(GoalSteps, DeployJobs):
    """The selection and results of one user, and the actions on them.

    Every selection method returns at once. A recipe with cached results has its report before
    `set` returns. A worker measures any other recipe and drops it when a newer one arrives.
    Observers are called after every change, from the thread that made it.

    Jobs run in the caller's thread and take a while. They end when `cancel` is cancelled, and call
    `on_progress` with the completed fraction.

    Parameters
    ----------
    model, recipe
        The first selection.
    store
        The cache of results; by default the user's.
    postpone
        Whether an original that is not compressed stays unmeasured until `measure_again` or the
        first change. Its card has its figures, and measuring loads PyTorch, which takes memory.

    Attributes
    ----------
    focus : Focus
        What the views show.

    Raises
    ------
    WorkbenchError
        From selection methods, if the request is unknown or does not fit; the state is then
        unchanged. From jobs, if they cannot be carried out.
    Cancelled
        From jobs that were cancelled; the results so far stay.
    """

    def __init__(
        self,
        model: str = DEFAULT_MODEL,
        recipe: Recipe = UNTOUCHED,
        *,
        store: ResultCache | None = None,
        postpone: bool = False,
    ) -> None:
        super().__init__(State(Selection(model, recipe), store or default_result_cache()))
        self.focus = Focus()
        self._before_tour: History | None = None
        self._worker = Worker(self._state, postpone=postpone)
        self._worker.request()

    # --- selection -----------------------------------------------------------------------

    def set(
        self,
        recipe: Recipe,
        *,
        gesture: int | None = None,
        moving: bool = False,
    ) -> None:
        """Select a recipe; the goal stays.

        Parameters
        ----------
        recipe
            What to select.
        gesture
            Identifies a drag: all its selections are one step of the history.
        moving
            Whether more selections are likely to follow soon.
        """
        selection = replace(self._state.selection, recipe=recipe, seconds=None)
        self._select(selection, gesture, moving=moving)

    def rest(self) -> None:
        """Report that the control rests, so that views show what they have delayed."""
        self._state.gesture.moving = False
        self._state.notify()

    def distill(
        self,
        chosen: Student | None,
        recipe: Recipe | None = None,
        *,
        gesture: int | None = None,
        moving: bool = False,
    ) -> None:
        """Let a shipped student take the place of the chosen model; None restores the model.

        Parameters
        ----------
        chosen
            The student to select.
        recipe
            The recipe to select; by default the current one without training.
        gesture, moving
            As in `set`.
        """
        name = self.origin if chosen is None else chosen.name
        origin = None if chosen is None else self.origin
        selection = Selection(
            name, self.recipe.untrained if recipe is None else recipe, None, origin
        )
        check_origin(selection)
        self._select(self._fitting(selection), gesture, moving=moving)

    def visit(self, visit: Visit) -> None:
        """Select the model and the recipe of an earlier result."""
        origin = self.origin if visit.model != self.origin else None
        self._select(Selection(visit.model, visit.recipe, None, origin))

    def choose_model(self, name: str) -> None:
        """Select a model; the recipe stays, without per-layer settings that do not fit.

        The goal belongs to the model before, and to its data: another model has none yet.
        """
        self.end_tour()
        self.open(name, self._fitting(Selection(name, self.recipe)).recipe)

    def open(self, name: str, recipe: Recipe, goal: Goal | None = None) -> None:
        """Select a model and a recipe in one step, with a goal if one is given."""
        self.end_tour()
        model = resolve_model(name, recipe)
        check_training(model, recipe)
        self._select(Selection(name, recipe), goal=goal)

    def forget_model(self, name: str) -> None:
        """Drop a model from the history, with its results; if it is selected, select the default.

        The model is then freed as soon as nothing else refers to it.
        """
        self.end_tour()
        state = self._state
        with state.lock:
            history, model = state.history.without_model(name), state.model
            selected = name in (history.current.model, history.current.base)
            if selected:
                self._worker.discard()
                state.gesture = Gesture()
                history = replace(history, current=Selection(DEFAULT_MODEL, Recipe()), future=())
                model = zoo.model(DEFAULT_MODEL)
            self._enter(history, model)
            state.forget(name)
        if selected:
            self._worker.request()
        else:
            state.notify()

    def train(self, settings: Train, seconds: float | None = None) -> None:
        """Train the current recipe with `settings`, for as many steps as `seconds` allow, if given.

        Their number is measured first and stored in the recipe, which then repeats the run.
        """
        recipe = replace(without_idle_factorization(self.recipe), train=settings)
        check_training(self.model, recipe)
        self._select(replace(self._state.selection, recipe=recipe, seconds=seconds))

    def preset(self, name: str) -> None:
        """Select a preset's recipe and the model that the user chose, without a student."""
        for preset in PRESETS:
            if preset.name == name:
                return self._select(Selection(self.origin, preset.recipe))
        raise UnknownNameError(
            _("There is no preset {name}.").format(name=repr(name)), code="name.unknown_preset"
        )

    def reset(self) -> None:
        """Select the model that the user chose, without a recipe and without a student."""
        self._select(Selection(self.origin, Recipe()))

    def undo(self) -> None:
        """Return to the selection before the last change, if there is one."""
        self._step(History.undo)

    def redo(self) -> None:
        """Return to the selection that was undone last, if there is one."""
        self._step(History.redo)

    def begin_tour(self) -> None:
        """Remember the selection and its history, which `end_tour` restores."""
        with self._state.lock:
            self._before_tour = self._before_tour or self._state.history

    def end_tour(self) -> None:
        """Restore what `begin_tour` remembered; undo then leads to the last selection of the tour.

        Choosing, opening and dropping a model end a tour as well.
        """
        with self._state.lock:
            start, self._before_tour = self._before_tour, None
            last = self._state.selection
        if start is None:
            return
        self._step(start.after)
        if (start.current, start.current.goal) != (last, last.goal):
            self._state.notice = _(
                "The tour has ended: your previous recipe and goal are restored. Undo shows the "
                "last settings of the tour."
            )
        self._state.gesture = Gesture()  # without the trail of the tour
        self._state.notify()

    def set_focus(self, **changes: Any) -> None:
        """Change fields of `focus`."""
        self.focus = replace(self.focus, **changes)
        self._state.notify()

    def cancel(self) -> None:
        """Stop measuring; the last results stay, marked stale if they are of another recipe."""
        state = self._state
        with state.lock:
            if not state.busy:
                return
            self._worker.discard()
            state.gesture.end()
            if state.selection.seconds is not None:  # training has not begun: drop the request
                state.history = state.history.without_current()
            state.stop()
        state.notify()

    def measure_again(self) -> None:
        """Measure the current recipe again, after a cancel or an error, or if it is postponed."""
        self._worker.request(force=True)

    def warm_up(self) -> None:
        """Load in the background what measuring needs, so that the first change is fast."""
        with self._state.lock:
            self._worker.start()

    def query(self) -> str:
        """Return the query string that opens this state."""
        run = self.parallel.key if self.parallel else ""
        link = Link(self._state.selection, run, self.focus.plan)
        return format_link(link)

    def restore(self, query: str) -> None:
        """Open the state of a query string, and begin a new history with it.

        Raises
        ------
        WorkbenchError
            If the link is invalid; the session then shows the default state.
        """
        try:
            link = parse_link(query)
        except WorkbenchError:
            self.focus = replace(self.focus, plan=PlanSelection())
            self._select(Selection(DEFAULT_MODEL, Recipe()), goal=Goal())
            raise
        self.focus = replace(self.focus, plan=link.plan)
        self._before_tour = None
        self._select(link.selection, first=True, goal=link.selection.goal)
        self._state.notify()
        if link.parallel:
            self.parallel = read_run(self.origin_model, link.parallel, self.store)
            self._state.notify()

    def change_layer(self, recipe: Recipe, layer: str) -> None:
        """Select a recipe in which `layer` has changed; a newer call wins.

        If the file's size is held, the other layers are adjusted, which takes a while.
        """
        self.set(self._rebalance(recipe, layer))

    # --- observers and closing -----------------------------------------------------------

    def subscribe(self, observer: Callable[[Session], None]) -> Callable[[], None]:
        """Call `observer` after every change, until the returned function is called."""
        return self._state.subscribe(lambda: observer(self))

    def close(self) -> None:
        """Stop the worker and remove the observers."""
        self._worker.close()

    # --- internals -----------------------------------------------------------------------

    @staticmethod
    def _fitting(selection: Selection) -> Selection:
        """Return `selection` without per-layer settings if they do not fit its model."""
        try:
            resolve_model(selection.model, selection.recipe)
        except WorkbenchError:
            return replace(selection, recipe=without_layers(selection.recipe))
        return selection

    def _select(
        self,
        selection: Selection,
        gesture: int | None = None,
        *,
        moving: bool = False,
        first: bool = False,
        goal: Goal | None = None,
    ) -> None:
        model = resolve_model(selection.model, selection.recipe)
        state = self._state
        with state.lock:
            state.gesture.moving = moving
            if goal is None:
                goal = state.goal_for(selection, model)
            recipe = selection.recipe.expanded(model.layers)
            selection = replace(selection, recipe=recipe, goal=goal)
            same = selection == state.selection and model.identity == state.model.identity
            unchanged = same and state.report is not None and not state.stale
            if not unchanged:
                interruption = state.interruption_message
                if first:
                    state.gesture = Gesture()  # without the trail of another history
                history = state.gesture.push(state.history, selection, gesture)
                self._enter(History(selection) if first else history, model)
                state.interruption = interruption
            elif first:
                state.history = History(selection)
        if unchanged:
            self._set_goal(goal)
        else:
            self._worker.request()

    def _step(self, step: Callable[[History], History]) -> None:
        state = self._state
        with state.lock:
            history = step(state.history)
            if history is state.history:
                return
            if history.current.base == state.selection.base:
                state.gesture.end()
            else:
                state.gesture = Gesture()  # its trail belongs to another picture
            only_goal = history.current == state.selection
            if only_goal:
                state.history = history
            else:
                self._enter(history, zoo.model(history.current.model))
        if only_goal:
            state.notify()
        else:
            self._worker.request()

    def _enter(self, history: History, model: Model) -> None:
        if model.identity != self.model.identity:
            self._clear_jobs()
            self.focus = replace(self.focus, first=0, layer=None, narrowed=())
            if model.task != self.model.task:
                self.focus = replace(self.focus, example=None)
        origin = self.origin_model.identity
        self._state.enter(history, model)
        if self.origin_model.identity != origin:
            self.parallel = None
