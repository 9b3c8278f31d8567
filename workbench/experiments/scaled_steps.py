"""Scale training steps in notebooks to the time budget of the environment."""

from __future__ import annotations

from workbench.training.budget import capped_seconds

FULL_SECONDS = 90.0
"""Duration of a notebook with unscaled steps, on two cores."""
MIN_STEPS = 4


def scaled_steps(steps: int) -> int:
    """Return `steps`, or proportionally fewer if `WORKBENCH_BUDGET` is less than 90 seconds.

    Raises
    ------
    InputError
        If the variable is not a number above 0.
    """
    return max(min(MIN_STEPS, steps), int(steps * capped_seconds(FULL_SECONDS) / FULL_SECONDS))
