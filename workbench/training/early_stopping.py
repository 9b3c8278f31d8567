"""Early stopping: end training when validation stops improving, and restore the best weights.

Prechelt, Early Stopping - But When?, 1998.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from workbench.domain.metric import ACCURACY, Metric
from workbench.recipe import Train

CHECKS = 20
"""Validation checks in a run of full length."""


class EarlyStopping:
    """Tracks the best validation check and counts the checks since then.

    Parameters
    ----------
    settings
        Its `patience` and `steps`.
    first
        Checks up to this step are skipped: before pruning has set all zeros, a network is better
        than the one that results.
    metric
        Decides which of two values is better.
    """

    def __init__(self, settings: Train, first: int, metric: Metric = ACCURACY) -> None:
        self.metric = metric
        self.patience = settings.patience
        even = {settings.steps * number // CHECKS for number in range(1, CHECKS + 1)}
        self._steps = {step for step in even if step > first} | {settings.steps}
        self._worse = 0
        self.best: dict[str, Any] = {}

    @property
    def over(self) -> bool:
        """Whether patience is exhausted."""
        return self._worse >= self.patience

    @property
    def checks(self) -> int:
        """Number of checks in a run that does not stop early."""
        return len(self._steps)

    def is_due(self, step: int) -> bool:
        """Whether to check after `step`."""
        return step in self._steps

    def record(
        self, step: int, value: float, weights: dict[str, Tensor], quantizer: dict[str, Any]
    ) -> None:
        """Record a check: the metric on validation, and copies of weights and quantizer state."""
        if not self.best or self.metric.better(value, self.best["value"]):
            self._worse = 0
            self.best = {"value": value, "step": step, "weights": weights, "view": quantizer}
        else:
            self._worse += 1

    def state(self) -> dict[str, Any]:
        """Return the state for a checkpoint."""
        return {"best": self.best, "worse": self._worse}

    def load(self, state: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        self.best, self._worse = state["best"], state["worse"]
