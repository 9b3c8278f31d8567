"""Axes whose range is known before any point is: nothing jumps while a slider moves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

from workbench import formatting
from workbench.domain.metric import Metric

LEAST_ERROR = 1e-4
WORST = 4.0
"""Times the original's figure, where less is better: what is worse lies on the lower end."""
FAR = 3.0
"""Times its usual length, the longest axis that still shows the worst of what is compared."""
ABOVE = 0.08
"""Of the axis, above the original."""
MOST_STEPS = 8
"""Between two ticks of an even axis."""
_TICKS = (0, 10, 30, 50, 60, 70, 75, 80, 85, 88, 90, 92, 94, 95, 96, 97, 98, 98.5, 99, 99.5, 99.9)
"""Percentages that may be marked on the axis."""


def height(accuracy: float) -> float:
    """Return where `accuracy` lies on the axis: minus the common logarithm of the error.

    Equal distances are equal factors of error, so that the last points, for which most of the
    work is done, are as easy to see as a collapse to chance.
    """
    return -log10(max(1 - accuracy, LEAST_ERROR))


def accuracy_range(original: float) -> tuple[float, float]:
    """Return the axis from nothing right to a little above the original model."""
    return height(0.0), height(original) + 0.12


def accuracy_ticks(
    original: float, convergence_delta: float = 0.055
) -> tuple[list[float], list[str]]:
    """Return tick places and labels, as many as keep `gap` of the axis between them."""
    low, high = accuracy_range(original)
    places: list[float] = []
    labels: list[str] = []
    for tick in _TICKS:
        place = height(tick / 100)
        if place < high and (not places or place - places[-1] >= convergence_delta * (high - low)):
            places.append(place)
            labels.append(f"{tick:g}{formatting.NARROW_SPACE}%")
    return places, labels


@dataclass(frozen=True)
class Axis:
    """The axis of a metric: better is higher; its `range` is known from the original's figure.

    Where `worst` is given, the axis reaches down to it, unless that is too far.
    """

    metric: Metric
    original: float
    worst: float | None = None

    @classmethod
    def over(cls, metric: Metric, values: Iterable[float]) -> Axis:
        """Return the axis of figures that are compared with each other, and with no original."""
        found = sorted(filter(isfinite, values), key=metric.sort_key)
        return cls(metric, found[-1], found[0]) if found else cls(metric, 0.5)

    def height(self, value: float) -> float:
        """Return where `value` lies on the axis, at its lower end if it is worse than that."""
        return max(self._low, self._height(value))  # in this order, so that NaN lies there too

    @property
    def range(self) -> tuple[float, float]:
        """The ends of the axis."""
        if self.metric.share:
            return accuracy_range(max(self.original, 0.0))
        return self._low, self._high + ABOVE * (self._high - self._low)

    @property
    def ticks(self) -> tuple[list[float], list[str]]:
        """Tick places and labels."""
        if self.metric.share:
            return accuracy_ticks(max(self.original, 0.0))
        low, high = self.range
        steps = _factors(high - low) if self._logarithmic else _even(low, high)
        found = sorted((self._height(step), step) for step in steps)
        inside = [(place, step) for place, step in found if low <= place <= high]
        return [place for place, _step in inside], [f"{step:g}" for _place, step in inside]

    @property
    def _logarithmic(self) -> bool:
        return not self.metric.higher_is_better and self.original > 0

    @property
    def _high(self) -> float:
        return self._height(self.original)

    @property
    def _low(self) -> float:
        if self.metric.share:
            return height(0.0)
        usual = self._usual
        if self.worst is None:
            return self._high - usual
        return self._high - min(max(usual, self._high - self._height(self.worst)), FAR * usual)

    @property
    def _usual(self) -> float:
        """How far the lower end lies below the original."""
        if self._logarithmic:
            return log10(WORST)
        if self.metric.higher_is_better and self.original > 0:
            return self.original
        return (WORST - 1) * abs(self.original) or 1.0  # no figure is known to be the worst

    def _height(self, value: float) -> float:
        if self.metric.share:
            return height(value)
        if self._logarithmic:
            return -log10(max(value, 1e-12))
        return value if self.metric.higher_is_better else -value


def _factors(decades: float) -> list[float]:
    """Return the figures that may be marked on a logarithmic axis of that length."""
    marks = (1, 1.5, 2, 3, 4, 5, 7) if decades < 1 else (1, 2, 5)
    return [mark * 10.0**power for power in range(-12, 13) for mark in marks]


def _even(low: float, high: float) -> list[float]:
    """Return figures at even steps, few of them between the ends, whichever way the axis points."""
    power = 10.0 ** floor(log10((high - low) / MOST_STEPS))
    step = next(m * power for m in (1, 2, 5, 10) if m * power * MOST_STEPS >= high - low)
    most = ceil(max(abs(low), abs(high)) / step)
    return [round(number * step, 12) for number in range(-most, most + 1)]


def size_range(original: int, seen: Iterable[int]) -> tuple[float, float]:
    """Return the logarithmic size axis: from 1/200 of `original`, or the least seen, up."""
    least = min([original / 200, *(size / 1.3 for size in seen)])
    return floor(log10(least) * 5) / 5, log10(original * 1.5)


def size_ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    """Return the sizes 1, 3, 10 … between the powers of ten `low` and `high`, with labels."""
    steps = [m * 10.0**p for p in range(floor(low), ceil(high) + 1) for m in (1, 3)]
    places = [step for step in steps if low <= log10(step) <= high]
    return places, [_short(place) for place in places]


def _short(value: float) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("B", 1)):
        if value >= scale:
            return f"{value / scale:g}{formatting.NARROW_SPACE}{unit}"
    return f"{value:g}{formatting.NARROW_SPACE}B"
