"""What the page sent, made sure of."""

from __future__ import annotations

import math
from typing import Any


def positive_number(value: Any) -> float | None:
    """Return `value` where it is a number above 0 and finite, else None."""
    sure = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if sure and 0 < value < math.inf else None
