"""How many steps a notebook trains: its usual number, or fewer where less time is granted."""

from __future__ import annotations

from workbench.training.budget import capped_seconds

SECONDS = 90.0
"""What a notebook takes with its usual numbers on two cores."""
LEAST = 4


def scaled_steps(steps: int) -> int:
    """Return `steps`, or the part of them that the seconds in `WORKBENCH_BUDGET` leave room for.

    Raises
    ------
    WorkbenchError
        When the variable holds no number above 0.
    """
    return max(min(LEAST, steps), int(steps * capped_seconds(SECONDS) / SECONDS))
