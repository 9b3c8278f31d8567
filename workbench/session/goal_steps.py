"""How a session changes its goal: each change is one step of the history."""

from __future__ import annotations

from dataclasses import replace

from workbench.domain.metric import ACCURACY
from workbench.session.checks import check_budget, check_floor
from workbench.session.readings import Readings
from workbench.session.records import Goal, Limits


class GoalSteps(Readings):
    """What a session adds to its readings to set the limits of its goal."""

    def set_budget(self, size: int | None) -> None:
        """Set the largest file size wanted, in bytes; None removes the limit.

        Raises
        ------
        InputError
            If the size is not allowed.
        """
        size, search = check_budget(size), self.goal.search
        self._set_goal(replace(self.goal, budget=size, search=search and (size, *search[1:])))

    def set_floor(self, value: float | None) -> None:
        """Set the worst value of the task's metric wanted; None removes the limit.

        Raises
        ------
        InputError
            If the metric cannot have the value.
        """
        value, search = check_floor(value, self.model.task.metric), self.goal.search
        if search is not None and self._has_accuracy:
            search = search[0], value, search[2]
        self._set_goal(replace(self.goal, floor=value, search=search))

    def set_limits(self, limits: Limits) -> None:
        """Set the limits of the next search, which are those of the goal.

        Raises
        ------
        InputError
            If one of them is not allowed.
        """
        size, accuracy, _energy = limits
        check_floor(accuracy, ACCURACY)
        floor = accuracy if self._has_accuracy else self.floor
        self._set_goal(Goal(check_budget(size), floor, limits))

    def _set_goal(self, goal: Goal) -> None:
        """Change the goal alone; the results stay."""
        state = self._state
        with state.lock:
            if goal == state.selection.goal:
                return
            selection = replace(state.selection, goal=goal)
            if selection.seconds is not None:  # a request that has not begun is no step
                state.history = state.history.with_current(selection)
            else:
                state.gesture.end()
                state.history = state.history.push(selection)
        state.notify()

    @property
    def _has_accuracy(self) -> bool:
        return self.model.task.metric == ACCURACY
