"""Peak memory of reading contexts and generating text on one chip."""

from __future__ import annotations

from workbench.planner.architecture import Architecture
from workbench.planner.cache import cached_elements
from workbench.planner.jobs import InferenceJob
from workbench.planner.memory import Memory

HEAD_BUFFER = 1.0
"""Bytes per element of the head that decoding as a graph keeps; fitted on four measured rows."""


def inference_memory(
    architecture: Architecture, job: InferenceJob, context: float = 0, workspace: float = 0
) -> Memory:
    """Return the bytes while a feed-forward layer processes all contexts at once.

    Parameters
    ----------
    architecture, job
        What generates text, and how.
    context
        Bytes that the driver takes outside the allocator.
    workspace
        Bytes that the library for matrix products keeps.
    """
    elements = cached_elements(architecture, job.context + job.new_tokens, job.tensor)
    operands = max(
        block.feed_forward.width * (4 if block.feed_forward.gated else 2)
        + (2 * block.mixer.kv_heads * block.mixer.key_dim if block.mixer.heads else 0)
        for block in architecture
    )
    per_token = 2 * architecture.hidden + operands / job.tensor
    return Memory(
        weights=job.weight_bytes(architecture) / job.tensor,
        activations=job.tokens * (per_token * job.bytes.activation + 8),
        logits=job.batch * architecture.vocabulary * 4,
        kv_cache=job.batch * elements * job.cache_bytes,
        buffers=workspace + HEAD_BUFFER * architecture.head / job.tensor,
        context=context,
    )
