"""What a recipe must reach: limits on the bytes, the accuracy, the latency and the energy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

import numpy as np

from workbench import formatting
from workbench.domain import Model
from workbench.domain.metric import Metric
from workbench.errors import InputError
from workbench.evaluation.intervals import expected_on_test
from workbench.i18n import _
from workbench.recipe.schema import brief
from workbench.study.measurement import SPLIT
from workbench.study.trial import Cost, Trial
from workbench.validation import expect_count

Amount = tuple[float | None, float | None, Callable[[float], str]]
"""What one example costs, the limit on it, and how both are written."""
TOLERATED = 0.01
"""Without limits, the smallest file is searched that loses at most this much of the metric."""


@dataclass(frozen=True)
class Goal:
    """Limits, and what the search aims at within them.

    Attributes
    ----------
    metric : Metric
        Of the task.
    max_bytes : int, optional
        The largest file.
    min_accuracy : float, optional
        The smallest accuracy on validation, 0 to 1.
    max_latency_ms : float, optional
        The longest time of one example.
    max_energy_mj : float, optional
        The most energy of one example, in millijoules.
    floor : float, optional
        The value of the metric to keep: the limit on the accuracy if that is the metric; without
        limits on bytes and accuracy, a little worse than the original. The search then aims at the
        smallest file, else at the best metric.
    original_accuracy : float, optional
        The accuracy of the original, of a task that has one.
    lost_on_test : float
        How much less accuracy the original has on test than on validation.
    test_examples : int
        The examples of test.
    """

    metric: Metric
    max_bytes: int | None = None
    min_accuracy: float | None = None
    max_latency_ms: float | None = None
    max_energy_mj: float | None = None
    floor: float | None = None
    original_accuracy: float | None = None
    lost_on_test: float = 0.0
    test_examples: int = 0

    @classmethod
    def of(
        cls,
        model: Model,
        max_bytes: int | None,
        min_accuracy: float | None,
        max_latency_ms: float | None,
        max_energy_mj: float | None = None,
    ) -> Goal:
        """Return a goal with checked limits.

        Raises
        ------
        InputError
            If a limit is not possible for the model.
        """
        metric = model.task.metric
        check_limits(max_bytes, min_accuracy, max_latency_ms, max_energy_mj)
        max_bytes = None if max_bytes is None else int(max_bytes)
        floor: float | None = None
        if min_accuracy is not None:
            _check_has_accuracy(model)
            floor = min_accuracy if metric.counts == "classes" else None
        elif max_bytes is None:
            original = model.metric_value(SPLIT)
            loss = TOLERATED if metric.is_fraction else TOLERATED * abs(original)
            floor = original - loss if metric.higher_is_better else original + loss
        accuracy = model.accuracy(SPLIT) if _has_accuracy(model) else None
        lost = 0.0 if accuracy is None else accuracy - model.accuracy("test")
        others = model.card["accuracy"]["test"]["examples"]
        limits = max_bytes, min_accuracy, max_latency_ms, max_energy_mj
        return cls(metric, *limits, floor, accuracy, lost, others)

    def on_test(self, trial: Trial) -> tuple[float, float] | None:
        """Return the 95 % interval of the accuracy on test, or None of a task without accuracy.

        It is that of as many other examples, less what the original loses on test. The file was
        chosen on validation, and its accuracy on test was not looked at.
        """
        if self.metric.counts != "classes" or not trial.total or not self.test_examples:
            return None
        correct = round((trial.value or 0.0) * trial.total)
        return expected_on_test(correct, trial.total, self.test_examples, self.lost_on_test)

    @property
    def aims_at_bytes(self) -> bool:
        """Whether the smallest file is the best, as long as it meets the limits."""
        return self.floor is not None or self.min_accuracy is not None

    @property
    def limits_cost(self) -> bool:
        """Whether the time or the energy of one example has a limit."""
        return self.max_latency_ms is not None or self.max_energy_mj is not None

    def excess(self, cost: Cost | None) -> float | None:
        """Return the largest ratio of a cost to its limit, 0 without limits; None if unknown."""
        largest = 0.0
        for amount, limit, _text in self._amounts(cost):
            if limit is not None and amount is None:
                return None
            largest = max(largest, (amount or 0.0) / limit if limit else 0.0)
        return largest

    def _amounts(self, cost: Cost | None) -> tuple[Amount, Amount]:
        known = cost or Cost()
        return (
            (known.milliseconds, self.max_latency_ms, formatting.milliseconds),
            (known.millijoules, self.max_energy_mj, formatting.millijoules),
        )

    def violations(self, trial: Trial, cost: Cost | None = None) -> list[str]:
        """Return a sentence for each limit that an exact trial does not meet."""
        sentences = []
        if self.max_bytes is not None and trial.bytes > self.max_bytes:
            sentences.append(
                _("{size} is {excess} above the limit of {limit}.").format(
                    size=formatting.nbytes(trial.bytes),
                    excess=formatting.nbytes(trial.bytes - self.max_bytes),
                    limit=formatting.nbytes(self.max_bytes),
                )
            )
        if self.min_accuracy is not None and (trial.accuracy or 0.0) < self.min_accuracy:
            sentences.append(
                _("An accuracy of {value} is {missing} below the limit of {limit}.").format(
                    value=formatting.percent(trial.accuracy or 0.0, 2),
                    missing=formatting.points_between(
                        self.min_accuracy, trial.accuracy or 0.0, 2
                    ).lstrip("+"),
                    limit=formatting.percent(self.min_accuracy, 2),
                )
            )
        if self.min_accuracy is None and self._misses_floor(trial):
            floor, value = self.floor or 0.0, trial.value or 0.0
            sentences.append(
                _("The {metric} of {value} misses the limit of {limit} ({change}).").format(
                    metric=self.metric.label,
                    value=self.metric.format(value),
                    limit=self.metric.format(floor),
                    change=self.metric.difference(value, floor),
                )
            )
        for amount, limit, text in self._amounts(cost):
            if limit is not None and amount is not None and amount > limit:
                sentences.append(
                    _("{time} per example are {excess} above the limit of {limit}.").format(
                        time=text(amount), excess=text(amount - limit), limit=text(limit)
                    )
                )
        return sentences

    def meets(self, trial: Trial) -> bool:
        """Whether an exact trial meets the limits on bytes and accuracy, and keeps the floor."""
        keeps = not self._misses_floor(trial)
        small = self.max_bytes is None or trial.bytes <= self.max_bytes
        accurate = self.min_accuracy is None or (trial.accuracy or 0.0) >= self.min_accuracy
        return trial.exact and keeps and small and accurate

    def _misses_floor(self, trial: Trial) -> bool:
        return self.floor is not None and self.metric.better(self.floor, trial.value or 0.0)

    def ranking(self, trials: Sequence[Trial]) -> list[Trial]:
        """Return the exact trials, the best first: those that meet the limits, then the nearest."""
        return sorted((trial for trial in trials if trial.exact), key=self.key)

    def key(self, trial: Trial) -> tuple[float, float, float]:
        """Return numbers that order exact trials, smaller is better."""
        value = -self.metric.sort_key(trial.value)
        distance = 0.0 if self.meets(trial) else self._distance(trial)
        if self.aims_at_bytes:
            return (distance, float(trial.bytes), value)
        return (distance, value, float(trial.bytes))

    def _distance(self, trial: Trial) -> float:
        """Return how far an exact trial is from the limits: relative bytes, and the metric."""
        distance = 1e-12
        if self.max_bytes is not None:
            distance += max(0.0, trial.bytes / self.max_bytes - 1)
        if self.floor is not None and trial.value is not None:
            missing = self.metric.sort_key(self.floor) - self.metric.sort_key(trial.value)
            scale = 0.1 if self.metric.is_fraction else 0.1 * abs(self.floor) or 1.0
            distance += max(0.0, missing) / scale
        elif self.min_accuracy is not None:
            distance += max(0.0, self.min_accuracy - (trial.accuracy or 0.0)) / 0.1
        return distance if isfinite(distance) else inf

    def as_dict(self) -> dict[str, Any]:
        """Return the limits as plain data for JSON."""
        return {
            "max_bytes": self.max_bytes,
            "min_accuracy": self.min_accuracy,
            "max_latency_ms": self.max_latency_ms,
            "max_energy_mj": self.max_energy_mj,
        }


def check_limits(
    max_bytes: float | None,
    min_accuracy: float | None,
    max_latency_ms: float | None,
    max_energy_mj: float | None = None,
) -> None:
    """Raise `InputError` if a limit is not possible for any model."""
    if max_bytes is not None:
        expect_count(max_bytes, "max_bytes")
    if min_accuracy is not None and (not _is_positive(min_accuracy) or min_accuracy > 1):
        raise InputError(
            "min_accuracy must be a fraction above 0, at most 1, such as 0.9, not "
            f"{brief(min_accuracy)}.",
            code="study.invalid_limit",
        )
    for name, limit in (("max_latency_ms", max_latency_ms), ("max_energy_mj", max_energy_mj)):
        if limit is not None:
            check_positive(name, limit)


def _has_accuracy(model: Model) -> bool:
    scores = model.card["accuracy"][SPLIT]
    return "correct" in scores or "accuracy" in scores


def _check_has_accuracy(model: Model) -> None:
    if not _has_accuracy(model):
        raise InputError(
            f"{model.name} has no accuracy, because its metric is {model.task.metric.label}: leave "
            "min_accuracy out; the metric then loses at most 1 %.",
            code="study.no_accuracy",
        )


def check_positive(name: str, value: Any) -> None:
    """Raise `InputError` if a limit is not a finite number above 0."""
    if not _is_positive(value):
        raise InputError(
            f"{name} must be a number above 0, not {brief(value)}.", code="study.invalid_limit"
        )


def _is_positive(value: Any) -> bool:
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return bool(is_number and isfinite(value) and value > 0)
