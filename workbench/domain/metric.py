"""Metrics: what a task is measured by, and how its figure is written."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isnan

from workbench import formatting
from workbench.i18n import _
from workbench.i18n import mark as N_


@dataclass(frozen=True)
class Metric:
    """The figure that a task is measured by first.

    Attributes
    ----------
    name : str
        What the field calls it, in full: ``accuracy``, ``bits per character``.
    counts : str
        What is counted of every example, a key of `zoo.counting.COUNTS`: ``classes``,
        ``tokens``, ``numbers``; or ``whole`` where only all examples together give a figure.
    higher_is_better : bool
    share : bool
        Whether it lies between 0 and 1 and is written in percent.
    unit : str
        What follows the figure, such as ``bits``; empty for a share.
    """

    name: str
    counts: str
    higher_is_better: bool = True
    share: bool = True
    unit: str = ""

    def format(self, value: float) -> str:
        """Write a figure of this metric: ``89.9 %``, ``1.742 bits``."""
        return (
            formatting.percent(value) if self.share else self._with_unit(formatting.number(value))
        )

    def change(self, difference: float) -> str:
        """Write a difference of two figures with its sign: ``−1.5 points``, ``+0.021 bits``."""
        if self.share:
            return formatting.points(difference)
        return self._with_unit(formatting.signed(difference))

    def better(self, one: float, other: float) -> bool:
        """Whether `one` is better than `other`; what is no number is worse than any."""
        return self.sort_key(one) > self.sort_key(other)

    def sort_key(self, value: float | None) -> float:
        """Return what is larger for better figures, to rank by: the least for none, and for NaN."""
        if value is None or isnan(value):
            return -inf
        return value if self.higher_is_better else -value

    def _with_unit(self, text: str) -> str:
        return f"{text}{formatting.NARROW_SPACE}{_(self.unit)}" if self.unit else text


ACCURACY = Metric(N_("accuracy"), "classes")
BITS_PER_CHARACTER = Metric(
    N_("bits per character"), "tokens", higher_is_better=False, share=False, unit=N_("bits")
)
PERPLEXITY = Metric(N_("perplexity"), "tokens", higher_is_better=False, share=False)
RMSE = Metric(N_("root mean squared error"), "numbers", higher_is_better=False, share=False)
R2 = Metric(N_("explained variance"), "numbers")

METRICS = {metric.name: metric for metric in (ACCURACY, BITS_PER_CHARACTER, PERPLEXITY, RMSE, R2)}
"""Those that are built in."""


def metric_named(name: str) -> Metric:
    """Return the built-in metric of that name, or one whose figures are plain numbers."""
    return METRICS.get(name, Metric(name, "whole", share=False))
