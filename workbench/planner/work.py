"""The work of a training step, as seconds at a chip's sustained rates, by kind.

Each kind is limited by one resource: products by arithmetic, the rest by memory, links or the
number of kernels. How much longer a kind takes than this is fitted on measured rows.
"""

from __future__ import annotations

from workbench.planner.activations import is_unfused
from workbench.planner.adapters import trainable_parameters, widened_bytes
from workbench.planner.architecture import Architecture, Block
from workbench.planner.chips import Chip
from workbench.planner.jobs import TrainingJob

Work = dict[str, float]
TERMS = (
    "products",
    "attention",
    "scores",
    "elementwise",
    "logits",
    "casts",
    "optimizer",
    "kernels",
)
BACKWARD_ATTENTION = 2.5
"""FLOPs of the backward pass of fused attention relative to its forward pass (Dao, 2205.14135)."""
SCORE_PASSES = 17
"""Reads and writes of all scores, forward and backward."""
LOGIT_BYTES, LOGIT_CAST_BYTES = 28, 10
"""Bytes read and written per logit: by log-softmax and its backward pass, and by casts."""
CAST_BYTES = 6
"""Bytes read and written to cast a float32 weight to bf16."""
FLOAT8_BYTES = 4
"""Bytes read and written to cast an element to float8: read it in 16 bits, write it twice, because
float8 products need their operands in two orders (Micikevicius et al., arXiv 2209.05433)."""
FUSED_FP32 = 0.7
"""Rate of fused attention in float32 relative to that of products in float32, TF32 or not.

No measured row has it. In run times of xFormers' kernels on an A100, which PyTorch uses, the
forward pass reaches about 20 and the backward pass 6 to 10 TFLOP/s; an H100 is about twice as fast.
"""
PRODUCTS_FP32 = 1.08
"""How much faster float32 products are, relative to their ceiling, than those in bf16.

No measured row has it. They are so slow that memory hardly delays them.
"""


def training_work(architecture: Architecture, job: TrainingJob, chip: Chip) -> Work:
    """Return seconds by kind of one microbatch, and of the optimizer, on one chip."""
    rate, bandwidth = chip.rate(job.bytes.rate), chip.copy_rate
    share = 1 / (job.tensor * job.pipeline)
    times = 3 + (1 if job.is_recomputed else 0)
    # Frozen weights have no gradient: one product of three is left out.
    passes = 2 if job.adapter_rank else 3
    multiplied = passes * architecture.weights + recomputed_weights(architecture, job)
    multiplied += 3 * trainable_parameters(architecture, job) if job.adapter_rank else 0
    layers = 2 * job.tokens * multiplied
    head = 2 * job.tokens * architecture.head * passes
    if job.bytes.rate == "fp32":
        rate *= PRODUCTS_FP32
    head_rate = chip.rate("bf16") if job.bytes.rate == "fp8" else rate
    work = dict.fromkeys(TERMS, 0.0)
    work["products"] = (layers / rate + head / head_rate) * share
    for block in architecture:
        for name, seconds in _attention(block, job, chip).items():
            work[name] += block.count * seconds * share
        work["elementwise"] += block.count * _elementwise(block, architecture.hidden, job) * share
        work["kernels"] += block.count * (times / 3) / job.pipeline
    work["elementwise"] *= job.tokens / bandwidth
    work["elementwise"] += architecture.weights * widened_bytes(job) / bandwidth * share
    per_logit = LOGIT_BYTES + (LOGIT_CAST_BYTES if job.bytes.activation < 4 else 0)
    work["logits"] = job.tokens * architecture.vocabulary * per_logit / bandwidth / job.tensor
    updated = trainable_parameters(architecture, job) * share / (job.shards if job.shard else 1)
    precision = job.bytes
    moved = 2 * precision.weight + precision.gradient + 2 * precision.states
    work["optimizer"] = updated * moved / bandwidth
    if precision.casts:
        residual = sum(
            _cast_elements(block, architecture.hidden, job) * block.count for block in architecture
        )
        weights = architecture.weights * CAST_BYTES * 2
        work["casts"] = (job.tokens * residual + weights) / bandwidth * share
    if precision.rate == "fp8":
        moved = sum(_float8_elements(block, job) * block.count for block in architecture)
        work["casts"] = (moved + architecture.weights) * FLOAT8_BYTES / bandwidth * share
    return work


def recomputed_weights(architecture: Architecture, job: TrainingJob) -> int:
    """Return the elements that are multiplied once more with checkpointing.

    Computing a layer again stops when all that its backward pass needs exists, before the last
    matrix.
    """
    if not job.is_recomputed:
        return 0
    if job.checkpointing == "selective":
        return architecture.weights // 2
    last = sum(
        block.count * block.feed_forward.active * block.feed_forward.matrices[-1].weights
        for block in architecture
        if block.feed_forward.matrices
    )
    return architecture.weights - last


def _attention(block: Block, job: TrainingJob, chip: Chip) -> Work:
    """Return the seconds of the products of queries, keys and values, and of writing scores."""
    mixer = block.mixer
    if not mixer.heads:
        return {}
    widths = mixer.heads * (mixer.key_dim + mixer.value_dim)
    read = mixer.attended(job.sequence)
    again = 1 if job.checkpointing == "full" else 0
    rate = chip.rate("bf16" if job.bytes.rate == "fp8" else job.bytes.rate)
    if job.attention == "eager" or is_unfused(block, job):
        passes = SCORE_PASSES * (1 + again / 3)
        wide = 1.5 if job.bytes.casts else 1.0
        size = job.bytes.activation * wide
        scores = job.microbatch * mixer.heads * job.sequence**2
        flops = 2 * job.tokens * job.sequence * widths * (3 + again)
        return {"products": flops / rate, "scores": scores * passes * size / chip.copy_rate}
    pairs = job.tokens * read * (0.5 if read == job.sequence else 1.0)
    pairs *= 2 - 1 / job.context  # the chip with the last part of a sequence reads all of it
    fused = 2 * pairs * widths * (1 + BACKWARD_ATTENTION + again)
    if job.bytes.activation > 2:
        rate = chip.rate("fp32") * FUSED_FP32
    return {"attention": fused / rate}


def _elementwise(block: Block, hidden: int, job: TrainingJob) -> float:
    """Return bytes per token of norms, sums and activation functions, both ways."""
    inner = block.feed_forward.width
    gated = block.feed_forward.gated
    scale = block.norm_count / 2
    forward = hidden * (6 + 4 * scale) + inner * (5 if gated else 2)
    backward = hidden * (15 + 10 * scale) + inner * (9 if gated else 3)
    if not block.mixer.heads:
        forward += 4 * sum(matrix.outputs for matrix in block.mixer.matrices)
        backward += 8 * sum(matrix.outputs for matrix in block.mixer.matrices)
    times = 2 if job.is_recomputed else 1
    return (forward * times + backward) * job.bytes.activation


def _cast_elements(block: Block, hidden: int, job: TrainingJob) -> float:
    """Return the bytes per token that autocast adds: a residual stream in float32 and casts."""
    times = 2 if job.is_recomputed else 1
    return hidden * 4 * (8 * times + 12) * block.norm_count / 2


def _float8_elements(block: Block, job: TrainingJob) -> int:
    """Return the elements of inputs and gradients of matrix products that are cast to float8."""
    part, times = block.feed_forward, 2 if job.is_recomputed else 1
    matrices = (*block.mixer.matrices, *part.matrices * part.active, *part.shared)
    each = sum(times * matrix.inputs + matrix.outputs for matrix in matrices)
    return job.tokens * each
