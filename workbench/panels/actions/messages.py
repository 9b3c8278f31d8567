"""Validation of values in messages from the page."""

from __future__ import annotations

import math
from typing import Any


def positive_number(value: Any) -> float | None:
    """Return `value` as a float if it is a finite number above 0, else None."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 < value < math.inf else None
