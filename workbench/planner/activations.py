"""Bytes that a layer keeps for its backward pass.

Counted from what each operation of a plain PyTorch layer saves: norms their inputs, linear layers
their inputs, products and activation functions their operands, attention its operands, its output
and one number per head and token. Korthikanti et al., "Reducing Activation Recomputation in Large
Transformer Models", arXiv 2205.05198, count in the same way.
"""

from __future__ import annotations

from workbench.planner.architecture import Block
from workbench.planner.jobs import TrainingJob

STATISTIC = 4
"""Bytes of a float32 number per token that norms and attention keep."""


def layer_bytes(block: Block, hidden: int, job: TrainingJob) -> float:
    """Return the bytes that one layer keeps for a microbatch."""
    parts = (
        norm_bytes(block, hidden, job) + mixer_bytes(block, job) + feed_forward_bytes(block, job)
    )
    return job.tokens * parts / job.tensor


def selected_bytes(block: Block, hidden: int, job: TrainingJob) -> float:
    """Return the bytes that selective checkpointing keeps of a layer.

    Those are its input, the results of attention and of every second matrix product: queries,
    values, the first and the last matrix of the feed-forward part.
    """
    mixer = block.mixer
    values = hidden * 2 + mixer.heads * (mixer.key_dim + mixer.value_dim)
    values += mixer.kv_heads * mixer.value_dim + block.feed_forward.width
    return job.tokens * values * job.bytes.activation / job.tensor


def norm_bytes(block: Block, hidden: int, job: TrainingJob) -> float:
    """Return bytes per token of the inputs of norms, and of those of the layers after them."""
    precision = job.bytes
    entering = hidden * precision.residual + STATISTIC
    if not precision.casts:
        return block.norm_count * (entering + hidden * precision.activation)
    # Autocast casts the input of each linear layer, even if several layers read the same one.
    readers = 3 + (2 if block.feed_forward.gated else 1)
    return block.norm_count * entering + readers * hidden * precision.activation


def mixer_bytes(block: Block, job: TrainingJob) -> float:
    """Return bytes per token of queries, keys, values, scores and the output of attention."""
    mixer, size = block.mixer, job.bytes.activation
    if not mixer.heads:  # a recurrence keeps the inputs and outputs of its matrices
        return sum(matrix.outputs for matrix in mixer.matrices) * 2 * size
    # Without a fused kernel, keys and values are repeated for the heads that share them.
    is_stepwise = job.attention == "eager" or is_unfused(block, job)
    shared = mixer.heads if is_stepwise else mixer.kv_heads
    values = (mixer.heads + shared) * (mixer.key_dim + mixer.value_dim)
    latent = sum(m.outputs for m in mixer.matrices[:1]) if mixer.kind == "latent" else 0
    return (values + latent) * size + mixer.heads * score_bytes(block, job)


def score_bytes(block: Block, job: TrainingJob) -> float:
    """Return bytes per token and head of what attention keeps of the scores."""
    if job.attention == "eager" or is_unfused(block, job):
        # Autocast computes the softmax in float32 and keeps its output in both precisions.
        return job.sequence * (6 if job.bytes.casts else job.bytes.activation)
    return STATISTIC


def is_unfused(block: Block, job: TrainingJob) -> bool:
    """Return whether PyTorch computes the requested fused attention step by step.

    Its fused kernels for float32 do not share keys between heads.
    """
    shares = block.mixer.kv_heads not in {0, block.mixer.heads}
    return job.attention == "fused" and job.bytes.activation > 2 and shares


def feed_forward_bytes(block: Block, job: TrainingJob) -> float:
    """Return bytes per token of the inputs of the activation, the product and the last layer."""
    operands = 4 if block.feed_forward.gated else 2
    return operands * block.feed_forward.width * job.bytes.activation


def temporary_scores(block: Block, job: TrainingJob) -> float:
    """Return the bytes of scores that exist only while attention goes backward."""
    if job.attention != "eager" and not is_unfused(block, job):
        return 0
    size = 3 if job.bytes.casts else job.bytes.activation
    each = job.microbatch * block.mixer.heads * job.sequence**2 * size
    return 4 * each / job.tensor
