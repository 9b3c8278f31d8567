"""Axes whose range is known before any point is: nothing jumps while a slider moves."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor, log10

from workbench import figures

LEAST_ERROR = 1e-4
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


def accuracy_ticks(original: float, gap: float = 0.055) -> tuple[list[float], list[str]]:
    """Return tick places and labels, as many as keep `gap` of the axis between them."""
    low, high = accuracy_range(original)
    places: list[float] = []
    labels: list[str] = []
    for tick in _TICKS:
        place = height(tick / 100)
        if place < high and (not places or place - places[-1] >= gap * (high - low)):
            places.append(place)
            labels.append(f"{tick:g}{figures.NARROW_SPACE}%")
    return places, labels


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
            return f"{value / scale:g}{figures.NARROW_SPACE}{unit}"
    return f"{value:g}{figures.NARROW_SPACE}B"
