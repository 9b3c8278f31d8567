"""The order in which the ranks of a pipeline process the parts of a batch.

GPipe (Huang et al., arXiv 1811.06965); 1F1B (Narayanan et al., arXiv 1806.03377); interleaved 1F1B
(Narayanan et al., arXiv 2104.04473).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

CHUNKS_PER_RANK = {"gpipe": 1, "1f1b": 1, "interleaved": 2}


class Action(NamedTuple):
    """The forward (``F``) or backward (``B``) pass of one microbatch through one stage."""

    kind: str
    stage: int
    microbatch: int


def stages(schedule: str, ranks: int) -> int:
    """Return the number of stages; stage s belongs to rank s modulo the number of ranks."""
    return ranks * CHUNKS_PER_RANK[schedule]


def actions(schedule: str, rank: int, ranks: int, microbatches: int) -> list[Action]:
    """Return what a rank does, in order.

    Parameters
    ----------
    microbatches
        For ``interleaved``, a multiple of `ranks`.
    """
    chunks = CHUNKS_PER_RANK[schedule]
    total = microbatches * chunks
    forward = [_nth("F", n, rank, ranks, chunks) for n in range(total)]
    backward = [_nth("B", n, rank, ranks, chunks) for n in range(total)]
    if schedule == "gpipe":
        return forward + backward
    warm_up = ranks - rank - 1 if chunks == 1 else (ranks - rank - 1) * 2 + (chunks - 1) * ranks
    warm_up = min(total, warm_up)
    order = forward[:warm_up]
    for number in range(total - warm_up):
        order += [forward[warm_up + number], backward[number]]
    return order + backward[total - warm_up :]


def _nth(kind: str, number: int, rank: int, ranks: int, chunks: int) -> Action:
    """Return a rank's forward or backward pass with this number."""
    group, position = divmod(number, ranks * chunks)
    if chunks == 1:
        return Action(kind, rank, number)
    chunk = position // ranks
    chunk = chunk if kind == "F" else chunks - 1 - chunk
    return Action(kind, chunk * ranks + rank, group * ranks + position % ranks)


def idle_share(ranks: int, microbatches: int, chunks: int = 1) -> float:
    """Return the idle share of a pipeline of equal stages without communication, 0 to 1.

    ``(p - 1) / (v m + p - 1)`` for p ranks with v stages each and m microbatches.
    """
    return (ranks - 1) / (chunks * microbatches + ranks - 1)


def idle_share_of(seconds: Sequence[float], microbatches: int, chunks: int = 1) -> float:
    """Return the idle share if the ranks compute for `seconds` per step, without communication.

    The slowest rank sets the pace of all microbatches but the first, which passes through all
    ranks. For equal ranks it is `idle_share`.
    """
    slowest, total = max(seconds), sum(seconds)
    step = slowest + (total - slowest) / (microbatches * chunks)
    return 1 - total / (len(seconds) * step)
