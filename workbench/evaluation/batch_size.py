"""How many examples to run at once, so that large models answer as soon as small ones."""

from __future__ import annotations

from workbench.domain import Model

BATCH = 250
FIRST = 176
AT_ONCE = 4_000_000_000
"""Multiply-adds of a batch at most, so that cancelling stays quick."""
TO_BEGIN = 1_600_000_000
"""Multiply-adds of the first look at most: a few tens of milliseconds."""
LEAST_FIRST = 8
MEMORY = 2**30
"""Bytes of activations at most."""


def batch_of(model: Model) -> int:
    """Return how many examples make a batch."""
    macs = model.card.get("macs", 0)
    return max(1, min(largest_batch(model), AT_ONCE // macs if macs else BATCH))


def largest_batch(model: Model) -> int:
    """Return how many examples the memory allows at once, 250 at most: the judge's batch."""
    peak = model.card.get("peak_memory", 0)  # over 64 examples, weights included
    return max(1, min(BATCH, 64 * MEMORY // peak if peak else BATCH))


def first_of(model: Model) -> int:
    """Return how many examples the first estimate looks at."""
    macs = model.card.get("macs", 0)
    return max(LEAST_FIRST, min(FIRST, TO_BEGIN // macs if macs else FIRST))
