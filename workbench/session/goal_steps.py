"""How a session changes its goal: each change is one step of the history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from workbench.domain.metric import ACCURACY
from workbench.session.checks import check_budget, check_floor
from workbench.session.readings import Readings
from workbench.session.records import Goal


class GoalSteps(Readings):
    """What a session adds to its readings to set the limits of its goal."""

    def set_budget(self, size: int | None) -> None:
        """Set the largest acceptable file size, in bytes; None removes the limit.

        Raises
        ------
        InputError
            If the size is not allowed.
        """
        goal = replace(self.goal, budget=check_budget(size))
        self._set_goal(self._with_search(goal, "max_bytes", goal.budget))

    def set_floor(self, value: float | None) -> None:
        """Set the worst acceptable value of the task's metric; None removes the limit.

        Raises
        ------
        InputError
            If the metric cannot have the value.
        """
        goal = replace(self.goal, floor=check_floor(value, self.model.task.metric))
        if self._has_accuracy:
            goal = self._with_search(goal, "min_accuracy", goal.floor)
        self._set_goal(goal)

    def set_limits(self, limits: Mapping[str, float | None]) -> None:
        """Set limits of the next search, which are limits of the goal; others stay.

        Parameters
        ----------
        limits
            Any of "max_bytes", "min_accuracy" and "max_energy_mj"; None for no limit.

        Raises
        ------
        InputError
            If one of them is not allowed.
        """
        goal = self.goal.decided(limits)
        if "max_bytes" in limits:
            size = limits["max_bytes"]
            goal = replace(goal, budget=check_budget(None if size is None else round(size)))
        if "min_accuracy" in limits:
            accuracy = check_floor(limits["min_accuracy"], ACCURACY)
            goal = replace(goal, floor=accuracy) if self._has_accuracy else goal
        self._set_goal(goal)

    @staticmethod
    def _with_search(goal: Goal, key: str, value: float | None) -> Goal:
        """Return the goal with a limit of the next search, if it does not follow from the goal."""
        follows = value is not None and key not in dict(goal.search)
        return goal if follows else goal.decided({key: value})

    def _set_goal(self, goal: Goal) -> None:
        """Change the goal alone; the results stay."""
        state = self._state
        with state.lock:
            if goal == state.selection.goal:
                return
            state.notice = None
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
