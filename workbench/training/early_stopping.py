"""Early stopping: training ends when validation gains no more, and the best weights stay.

Prechelt, Early Stopping - But When?, 1998.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from workbench.domain.metric import ACCURACY, Metric
from workbench.recipe import Train

CHECKS = 20
"""Looks at the validation examples in a run of full length."""


class EarlyStopping:
    """Remembers the best look, and counts those since.

    `first` is the first step that counts: before all zeros have come, a network looks better than
    the one that is asked for. `metric` says which of two looks is the better one.
    """

    def __init__(self, settings: Train, first: int, metric: Metric = ACCURACY) -> None:
        self.metric = metric
        self.patience = settings.patience
        even = {settings.steps * number // CHECKS for number in range(1, CHECKS + 1)}
        self._when = {step for step in even if step > first} | {settings.steps}
        self._worse = 0
        self.best: dict[str, Any] = {}

    @property
    def over(self) -> bool:
        """Whether patience has come to its end."""
        return self._worse >= self.patience

    @property
    def checks(self) -> int:
        """How many looks there are if patience never ends."""
        return len(self._when)

    def due(self, step: int) -> bool:
        """Whether to look after `step`."""
        return step in self._when

    def judge(
        self, step: int, value: float, weights: dict[str, Tensor], view: dict[str, Any]
    ) -> None:
        """Take in a look: the figure on validation of copies of weights and view."""
        if not self.best or self.metric.better(value, self.best["value"]):
            self._worse = 0
            self.best = {"value": value, "step": step, "weights": weights, "view": view}
        else:
            self._worse += 1

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"best": self.best, "worse": self._worse}

    def load(self, state: dict[str, Any]) -> None:
        """Take up what `state` returned."""
        self.best, self._worse = state["best"], state["worse"]
