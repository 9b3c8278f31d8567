"""The work of reading a context and of generating one token, as seconds by kind."""

from __future__ import annotations

from workbench.planner.architecture import Architecture
from workbench.planner.cache import cached_elements
from workbench.planner.chips import Chip
from workbench.planner.jobs import InferenceJob
from workbench.planner.weights import REST_BYTES, element_bytes
from workbench.planner.work import Work

PREFILL_TERMS = ("products", "attention", "elementwise", "kernels")
DECODE_TERMS = ("weights", "cache", "products", "kernels")


SUM_SECONDS = 1e-5
"""Seconds that summing a few bytes over chips takes."""


def touched_bytes(architecture: Architecture, job: InferenceJob, tokens: int) -> float:
    """Return the bytes of weights that a batch of `tokens` reads: all but the embedding.

    Each token chooses some experts; the expected share of experts that any token chose is read.
    """
    total = job.weight_bytes(architecture)
    mean = total / architecture.parameters
    is_partly = job.file_bytes is None and job.bytes.weight < REST_BYTES
    each = element_bytes(8 * job.bytes.weight) if is_partly else mean
    if not architecture.tied:
        total -= architecture.embedding * (REST_BYTES if is_partly else mean)
    total -= architecture.positions * (REST_BYTES if is_partly else mean)
    for block in architecture:
        part = block.feed_forward
        unused = (1 - part.active / part.experts) ** tokens if part.experts > 1 else 0.0
        matrices = sum(matrix.parameters for matrix in part.matrices)
        total -= block.count * part.experts * matrices * unused * each
    return total


def decode_flops(architecture: Architecture, job: InferenceJob) -> float:
    """Return the operations of the products of one more token for each sequence, on all chips."""
    return 2.0 * job.batch * (architecture.weights + architecture.head)


def _read_bytes(architecture: Architecture, job: InferenceJob, chip: Chip, tokens: int) -> float:
    """Return the bytes of weights that a pass reads from outside: on an edge chip, the excess."""
    touched = touched_bytes(architecture, job, tokens)
    return max(touched - chip.usable, 0.0) if chip.kind == "edge" else touched


def prefill_work(architecture: Architecture, job: InferenceJob, chip: Chip) -> Work:
    """Return seconds by kind of reading all contexts at once, with logits of the last place."""
    rate, bandwidth = chip.rate(job.bytes.rate), chip.copy_rate
    flops = 2 * (job.tokens * architecture.weights + job.batch * architecture.head)
    work = dict.fromkeys(PREFILL_TERMS, 0.0)
    read = _read_bytes(architecture, job, chip, job.tokens) / bandwidth
    work["products"] = max(flops / rate, read) / job.tensor
    moved = 0.0
    for block in architecture:
        mixer, inner = block.mixer, block.feed_forward.width
        read_tokens = mixer.attended(job.context)
        pairs = job.tokens * read_tokens * (0.5 if read_tokens == job.context else 1.0)
        widths = mixer.heads * (mixer.key_dim + mixer.value_dim)
        work["attention"] += block.count * 2 * pairs * widths / rate / job.tensor
        gated = block.feed_forward.gated
        per_token = architecture.hidden * (6 + 2 * block.norm_count) + inner * (5 if gated else 2)
        per_token += 2 * mixer.cached
        if not mixer.heads:
            per_token += 4 * sum(matrix.outputs for matrix in mixer.matrices)
        moved += block.count * per_token
    work["elementwise"] = job.tokens * moved * job.bytes.activation / bandwidth / job.tensor
    work["kernels"] = float(architecture.layers)
    return work


def decode_work(architecture: Architecture, job: InferenceJob, chip: Chip) -> Work:
    """Return seconds by kind of one more token for each sequence, as a replayed graph of kernels.

    All weights that the batch touches and its cache are read once; products for large batches
    take longer than reading their weights.
    """
    bandwidth = chip.copy_rate
    weights = _read_bytes(architecture, job, chip, job.batch) / bandwidth
    cached = job.batch * job.cache_bytes * cached_elements(architecture, job.context, job.tensor)
    if chip.kind == "edge":  # the cache takes what the weights leave
        free = max(chip.usable - touched_bytes(architecture, job, job.batch), 0.0)
        cached = max(cached - free, 0.0)
    flops = decode_flops(architecture, job)
    return {
        "weights": weights / job.tensor,
        "cache": cached / bandwidth,
        "products": max(flops / chip.rate(job.bytes.rate) - weights, 0) / job.tensor,
        "kernels": float(architecture.layers),
    }


def shared_seconds(architecture: Architecture, job: InferenceJob, chip: Chip, tokens: int) -> float:
    """Return the seconds of two sums per layer over chips that share its matrices."""
    if job.tensor == 1:
        return 0.0
    moved = 2 * tokens * architecture.hidden * job.bytes.activation
    moved *= (job.tensor - 1) / job.tensor
    return 2 * architecture.layers * (SUM_SECONDS + moved / (chip.link / 2))
