"""Metrics: the number that a task is evaluated by, and its format."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, isnan

from workbench import formatting
from workbench.i18n import _, mark as N_


@dataclass(frozen=True)
class Metric:
    """The primary metric of a task.

    Attributes
    ----------
    name : str
        The full name: ``accuracy``, ``bits per character``, ``r2``.
    counts : str
        How it is computed: from predicted ``classes``; from sums over examples, as a key of
        `sum_metrics.SUM_METRICS`, ``tokens`` or ``numbers``; or from the ``whole`` split at once.
    higher_is_better : bool
    is_fraction : bool
        Whether it is a fraction, 0 to 1, and formatted as a percentage.
    unit : str
        The unit after the number, such as ``bits``; empty for a fraction.
    symbol : str
        What people read in place of the name, such as ``R²``; empty if it is the name.
    """

    name: str
    counts: str
    higher_is_better: bool = True
    is_fraction: bool = True
    unit: str = ""
    symbol: str = ""

    @property
    def label(self) -> str:
        """The name that people read, in the user's language."""
        return _(self.symbol or self.name)

    def format(self, value: float) -> str:
        """Format a value of this metric: ``89.9 %``, ``1.742 bits``."""
        return (
            formatting.percent(value)
            if self.is_fraction
            else self._with_unit(formatting.number(value))
        )

    def change(self, difference: float) -> str:
        """Format a signed difference of two values: ``−1.5 points``, ``+0.021 bits``."""
        if self.is_fraction:
            return formatting.points(difference)
        if self.unit:  # of known scale
            difference = round(difference, 3)
        return self._with_unit(formatting.signed(difference))

    def difference(self, value: float, other: float) -> str:
        """Format the signed difference of two values that are shown: ``−1.5 points``.

        It is that of the numbers as `format` rounds them, so that it does not contradict them.
        """
        if not isfinite(value) or not isfinite(other):
            return self.change(value - other)
        if self.is_fraction:
            return formatting.points_between(value, other)
        return self._with_unit(
            formatting.difference(formatting.number(value), formatting.number(other))
        )

    def better(self, value: float, other: float) -> bool:
        """Return whether `value` is better than `other`. NaN is worse than any number."""
        return self.sort_key(value) > self.sort_key(other)

    def sort_key(self, value: float | None) -> float:
        """Return a number that is larger for better values; minus infinity for None and NaN."""
        if value is None or isnan(value):
            return -inf
        return value if self.higher_is_better else -value

    def _with_unit(self, text: str) -> str:
        return f"{text}{formatting.NARROW_SPACE}{_(self.unit)}" if self.unit else text


ACCURACY = Metric(N_("accuracy"), "classes")
BITS_PER_CHARACTER = Metric(
    N_("bits per character"), "tokens", higher_is_better=False, is_fraction=False, unit=N_("bits")
)
PERPLEXITY = Metric(N_("perplexity"), "tokens", higher_is_better=False, is_fraction=False)
RMSE = Metric(N_("root mean squared error"), "numbers", higher_is_better=False, is_fraction=False)
R2 = Metric("r2", "numbers", symbol=N_("R²"))

MEAN_AVERAGE_PRECISION = Metric(N_("mean average precision"), "whole")

METRICS = {metric.name: metric for metric in (ACCURACY, BITS_PER_CHARACTER, PERPLEXITY, RMSE, R2)}
"""The built-in metrics by name, but for the one that needs all outputs at once."""


def metric_named(name: str) -> Metric:
    """Return the built-in metric of that name, or a custom one formatted as a number."""
    if name == MEAN_AVERAGE_PRECISION.name:
        return MEAN_AVERAGE_PRECISION
    return METRICS.get(name, Metric(name, "whole", is_fraction=False))
