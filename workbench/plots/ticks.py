"""Ticks of linear axes, with the numbers that stand in texts too."""

from __future__ import annotations

from math import ceil, floor, log10
from typing import Any

from workbench import formatting


def percent_ticks(low: float, high: float, most: int = 6) -> dict[str, Any]:
    """Return the ticks of an axis of fractions between two of them: ``25 %``."""
    step, values = round_values(low, high, most)
    digits = max(0, ceil(-log10(step) - 1e-9) - 2)
    return {
        "tickvals": values,
        "ticktext": [formatting.percent(value, digits) for value in values],
    }


def byte_ticks(high: float, most: int = 5, low: float = 0) -> dict[str, Any]:
    """Return the ticks of an axis of bytes from `low` to `high`: ``80 kB``."""
    _step, values = round_values(low, high, most)
    return {"tickvals": values, "ticktext": [formatting.round_size(value) for value in values]}


def number_ticks(low: float, high: float, most: int = 6, sign: int = 1) -> dict[str, Any]:
    """Return the ticks of an axis of numbers between two places, which are `sign` times them."""
    _step, values = round_values(low, high, most)
    return {"tickvals": values, "ticktext": [f"{sign * value:g}" for value in values]}


def step_ticks(last: int, most: int = 4) -> dict[str, Any]:
    """Return the ticks of an axis of steps from 0 to `last`, which are integers: ``1,500``."""
    step, values = round_values(0, last, most)
    shown = [int(value) for value in values] if step >= 1 else list(range(last + 1))
    return {"tickvals": shown, "ticktext": [formatting.count(value) for value in shown]}


def count_ticks(powers: int) -> dict[str, Any]:
    """Return the ticks of a logarithmic axis of counts from 1 to a power of ten: ``1,000``."""
    values = [10**power for power in range(powers + 1)]
    return {"tickvals": values, "ticktext": [formatting.count(value) for value in values]}


def round_values(low: float, high: float, most: int) -> tuple[float, list[float]]:
    """Return a step of 1, 2 or 5 times a power of ten, and its at most `most` + 1 multiples."""
    length = high - low if high > low else abs(high) or 1.0
    power = 10.0 ** floor(log10(length / most))
    step = next(m * power for m in (1, 2, 5, 10, 20) if m * power * most >= length * (1 - 1e-9))
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return step, [round(number * step, 12) for number in range(first, last + 1)]
