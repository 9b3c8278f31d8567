"""Axes with a range that does not depend on the points, so that they stay fixed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

from workbench import formatting
from workbench.domain.metric import ACCURACY, Metric
from workbench.i18n import _

MIN_ERROR = 1e-4
WORST = 4.0
"""The lower end of the axis as a multiple of the original value, where lower is better."""
MAX_EXTENSION = 3.0
"""How many times its default length an axis may have to show the worst value."""
MARGIN = 0.08
"""Fraction of the axis above the original."""
MAX_STEPS = 8
"""Maximum number of steps between ticks on a linear axis."""
HALVES, TENTHS = 0.8, 0.995
"""From these original values on, each tick at least halves the errors, or takes a tenth of them."""
_TENS = tuple(range(0, 80, 10))
"""Candidate tick percentages of an axis that ends below `HALVES`."""
_ROUND = (0, 50, 80, 90, 95, 98, 99, 99.5)
"""Those of an axis that ends below `TENTHS`: 100 % less 50, 20, 10, 5 % and so on."""
_NINES = (0, 90, 99, 99.9, 99.99)
"""Those of any other axis."""


def height(accuracy: float) -> float:
    """Return the position of `accuracy` on the axis: -log10 of the error.

    Equal distances are equal factors of error, so that small differences near the top are as
    visible as a drop to chance level.
    """
    return -log10(max(1 - accuracy, MIN_ERROR))


def accuracy_range(original: float) -> tuple[float, float]:
    """Return the axis from accuracy 0 to slightly above the original model."""
    return height(0.0), height(original) + 0.12


def accuracy_ticks(original: float, gap: float = 0.075) -> tuple[list[float], list[str]]:
    """Return tick positions and labels, at least `gap` (fraction of the axis) apart."""
    low, high = accuracy_range(original)
    places: list[float] = []
    labels: list[str] = []
    for tick in _percentages(original):
        place = height(tick / 100)
        if place < high and (not places or place - places[-1] >= gap * (high - low)):
            places.append(place)
            labels.append(f"{tick:g}{formatting.NARROW_SPACE}%")
    return places, labels


def _percentages(original: float) -> tuple[float, ...]:
    if original < HALVES:
        return _TENS
    return _ROUND if original < TENTHS else _NINES


@dataclass(frozen=True)
class Axis:
    """The axis of a metric, where better is higher. Its range follows from the original value.

    With `worst`, the axis is extended to it, up to `MAX_EXTENSION` times its default length.
    """

    metric: Metric
    original: float
    worst: float | None = None

    @classmethod
    def over(cls, metric: Metric, values: Iterable[float]) -> Axis:
        """Return the axis for `values` that are compared with each other, without an original."""
        finite = sorted(filter(isfinite, values), key=metric.sort_key)
        return cls(metric, finite[-1], finite[0]) if finite else cls(metric, 0.5)

    def height(self, value: float) -> float:
        """Return the position of `value` on the axis, clipped at the lower end."""
        return max(self._low, self._height(value))  # in this order, NaN is clipped too

    @property
    def range(self) -> tuple[float, float]:
        """The ends of the axis."""
        if self.metric.is_fraction:
            return accuracy_range(max(self.original, 0.0))
        return self._low, self._high + MARGIN * (self._high - self._low)

    @property
    def ticks(self) -> tuple[list[float], list[str]]:
        """Tick positions and labels."""
        if self.metric.is_fraction:
            return accuracy_ticks(max(self.original, 0.0))
        low, high = self.range
        values = _log_ticks(high - low) if self._logarithmic else _linear_ticks(low, high)
        candidates = sorted((self._height(value), value) for value in values)
        ticks = [(place, value) for place, value in candidates if low <= place <= high]
        return [place for place, _value in ticks], [
            formatting.tick(value) for _place, value in ticks
        ]

    @property
    def scale(self) -> str:
        """How values become places: "error", "log", "higher" or "lower"."""
        if self.metric.is_fraction:
            return "error"
        if self._logarithmic:
            return "log"
        return "higher" if self.metric.higher_is_better else "lower"

    @property
    def note(self) -> str:
        """What the distance between two ticks means; empty for an axis without equal steps."""
        if self.metric != ACCURACY or self.original < HALVES:
            return ""
        if self.original < TENTHS:
            return _("each line at least halves the errors")
        return _("each line divides the errors by 10")

    @property
    def _logarithmic(self) -> bool:
        return not self.metric.higher_is_better and self.original > 0

    @property
    def _high(self) -> float:
        return self._height(self.original)

    @property
    def _low(self) -> float:
        if self.metric.is_fraction:
            return height(0.0)
        length = self._default_length
        if self.worst is not None:
            needed = self._high - self._height(self.worst)
            length = min(max(length, needed), MAX_EXTENSION * length)
        return self._high - length

    @property
    def _default_length(self) -> float:
        """The distance from the lower end to the original."""
        if self._logarithmic:
            return log10(WORST)
        if self.metric.higher_is_better and self.original > 0:
            return self.original
        return (WORST - 1) * abs(self.original) or 1.0  # the metric has no worst value

    def _height(self, value: float) -> float:
        if self.metric.is_fraction:
            return height(value)
        if self._logarithmic:
            return -log10(max(value, 1e-12))
        return value if self.metric.higher_is_better else -value


def _log_ticks(decades: float) -> list[float]:
    """Return candidate ticks for a logarithmic axis of that length."""
    marks = (1, 1.5, 2, 3, 4, 5, 7) if decades < 1 else (1, 2, 5)
    return [mark * 10.0**power for power in range(-12, 13) for mark in marks]


def _linear_ticks(low: float, high: float) -> list[float]:
    """Return evenly spaced candidate ticks for an axis in either direction."""
    power = 10.0 ** floor(log10((high - low) / MAX_STEPS))
    step = next(m * power for m in (1, 2, 5, 10) if m * power * MAX_STEPS >= high - low)
    most = ceil(max(abs(low), abs(high)) / step)
    return [round(number * step, 12) for number in range(-most, most + 1)]


def size_range(original: int, seen: Iterable[int]) -> tuple[float, float]:
    """Return the log10 size axis in bytes: from 1/200 of `original`, or the smallest size seen."""
    smallest = min([original / 200, *(size / 1.3 for size in seen)])
    return floor(log10(smallest) * 5) / 5, log10(original * 1.5)


def size_ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    """Return the sizes 1, 3, 10 … between the powers of ten `low` and `high`, with labels."""
    steps = [m * 10.0**p for p in range(floor(low), ceil(high) + 1) for m in (1, 3)]
    places = [step for step in steps if low <= log10(step) <= high]
    return places, [formatting.round_size(place) for place in places]
