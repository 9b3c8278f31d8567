"""How the zeros of pruning come in during training."""

from __future__ import annotations

RAMP = 2 / 3
"""The share of the steps over which zeros are added; the rest is recovery."""
STAIRS = 20
"""How many times masks are found anew on the way."""
ROUNDS = 4
"""Rounds of iterative pruning."""


def sparsity_schedule(kind: str, steps: int) -> dict[int, float]:
    """Return, for each step before which masks change, the share of the asked zeros then set.

    The last share is 1. ``linear`` and ``cubic`` climb `STAIRS` stairs over the first `RAMP` of
    the steps; the cubic one is 1 − (1 − t)³ (Zhu & Gupta, arXiv 1710.01878). ``rewind`` sets an
    even part before each round but the first, so that the last round trains what remains.
    """
    if kind == "one-shot" or steps == 0:
        return {0: 1.0}
    if kind == "rewind":
        rounds = min(ROUNDS, steps)
        starts = [steps * number // rounds for number in range(rounds)]
        if rounds == 1:
            return {0: 1.0}
        return {start: number / (rounds - 1) for number, start in enumerate(starts)}
    stairs = max(1, min(STAIRS, int(RAMP * steps)))
    climbed = {}
    for stair in range(1, stairs + 1):
        t = stair / stairs
        share = t if kind == "linear" else 1 - (1 - t) ** 3
        climbed[int(RAMP * steps * (stair - 1) / stairs)] = share
    return climbed
