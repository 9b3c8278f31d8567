"""How many examples to run at once, so that large models answer as soon as small ones."""

from __future__ import annotations

from workbench.domain import Model

MAX_BATCH = 250
MAX_FIRST_SAMPLE = 176
MAX_BATCH_MACS = 4_000_000_000
"""Multiply-adds of a batch at most, so that cancelling stays quick."""
MAX_FIRST_MACS = 1_600_000_000
"""Multiply-adds of the first look at most: a few tens of milliseconds."""
MIN_FIRST_SAMPLE = 8
MAX_ACTIVATION_BYTES = 2**30
"""Bytes of activations at most."""


def batch_size_for(model: Model) -> int:
    """Return how many examples make a batch."""
    macs = model.card.get("macs", 0)
    return max(1, min(max_batch_size(model), MAX_BATCH_MACS // macs if macs else MAX_BATCH))


def max_batch_size(model: Model) -> int:
    """Return how many examples the memory allows at once, 250 at most: the judge's batch."""
    peak = model.card.get("peak_memory", 0)  # over 64 examples, weights included
    return max(1, min(MAX_BATCH, 64 * MAX_ACTIVATION_BYTES // peak if peak else MAX_BATCH))


def first_sample_size(model: Model) -> int:
    """Return how many examples the first estimate looks at."""
    macs = model.card.get("macs", 0)
    return max(
        MIN_FIRST_SAMPLE,
        min(MAX_FIRST_SAMPLE, MAX_FIRST_MACS // macs if macs else MAX_FIRST_SAMPLE),
    )
