"""Batch sizes by cost of the model, so that large models respond as fast as small ones."""

from __future__ import annotations

from workbench.domain import Model

MAX_BATCH = 250
MAX_FIRST_SAMPLE = 176
MAX_BATCH_MACS = 4_000_000_000
"""Limit of the multiply-accumulates per batch, to keep cancellation fast."""
MAX_FIRST_MACS = 1_600_000_000
"""Limit of the multiply-accumulates of the first estimate: a few tens of milliseconds."""
MIN_FIRST_SAMPLE = 8
MAX_ACTIVATION_BYTES = 2**30
"""Limit of the memory of activations."""


def batch_size_for(model: Model) -> int:
    """Return the batch size for evaluating `model`."""
    macs = model.card.get("macs", 0)
    return max(1, min(max_batch_size(model), MAX_BATCH_MACS // macs if macs else MAX_BATCH))


def max_batch_size(model: Model) -> int:
    """Return the batch size of the reference evaluation: limited by memory, 250 at most."""
    peak = model.card.get("peak_memory", 0)  # for a batch of 64, weights included
    return max(1, min(MAX_BATCH, 64 * MAX_ACTIVATION_BYTES // peak if peak else MAX_BATCH))


def first_sample_size(model: Model) -> int:
    """Return the number of examples of the first estimate."""
    macs = model.card.get("macs", 0)
    return max(
        MIN_FIRST_SAMPLE,
        min(MAX_FIRST_SAMPLE, MAX_FIRST_MACS // macs if macs else MAX_FIRST_SAMPLE),
    )
