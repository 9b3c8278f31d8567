"""The schedule by which pruning sets zeros during training."""

from __future__ import annotations

RAMP = 2 / 3
"""Share of the steps over which zeros are added. The remaining steps let the network recover."""
STAIRS = 20
"""Number of mask updates in a gradual schedule."""
ROUNDS = 4
"""Rounds of iterative pruning with rewinding."""


def sparsity_schedule(kind: str, steps: int) -> dict[int, float]:
    """Return the steps before which masks change, with the share of the target zeros set then.

    The last share is 1. ``linear`` and ``cubic`` take `STAIRS` increments over the first `RAMP` of
    the steps; the cubic schedule is 1 − (1 − t)³ (Zhu & Gupta, arXiv 1710.01878). ``rewind`` adds
    an equal share before each round except the first, so that the last round trains the final mask.
    """
    if kind == "one_shot" or steps == 0:
        return {0: 1.0}
    if kind == "rewind":
        rounds = min(ROUNDS, steps)
        starts = [steps * number // rounds for number in range(rounds)]
        if rounds == 1:
            return {0: 1.0}
        return {start: number / (rounds - 1) for number, start in enumerate(starts)}
    stairs = max(1, min(STAIRS, int(RAMP * steps)))
    shares = {}
    for stair in range(1, stairs + 1):
        t = stair / stairs
        share = t if kind == "linear" else 1 - (1 - t) ** 3
        shares[int(RAMP * steps * (stair - 1) / stairs)] = share
    return shares
