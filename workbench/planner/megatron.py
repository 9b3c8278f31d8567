"""The memory formulas of Megatron-LM for GPT models, with dropout and without fused attention.

Korthikanti et al., "Reducing Activation Recomputation in Large Transformer Models", arXiv
2205.05198, equations 2, 4 and 6.
"""

from __future__ import annotations

from workbench.planner.architecture import Architecture

STATE = 18
"""Bytes per parameter: float16 weights, float32 gradients, and float32 weights and Adam states."""


def state_bytes(architecture: Architecture, tensor: int, pipeline: int) -> float:
    """Return the bytes per chip of weights, gradients and states of all layers."""
    matrices = sum(block.count * block.weights for block in architecture)
    return STATE * matrices / (tensor * pipeline)


def activation_bytes(
    architecture: Architecture,
    microbatch: int,
    sequence: int,
    tensor: int,
    *,
    is_selective: bool,
    interleaving: float = 1.0,
) -> float:
    """Return the bytes per chip that all layers keep, on the first stage of a pipeline.

    Parameters
    ----------
    architecture
        A GPT model: four hidden units of the feed-forward part per channel, two norms.
    microbatch, sequence
        Sequences at once, and their tokens.
    tensor
        Chips that divide the matrices.
    is_selective
        Whether norms and dropout are divided too (sequence parallelism) and attention is
        recomputed. Otherwise, every chip stores all of what norms and dropout need, and attention
        is stored.
    interleaving
        The activation memory of interleaved stages, as a factor of that of ordinary ones.
    """
    heads = architecture.blocks[0].mixer.heads
    hidden, layers = architecture.hidden, architecture.layers
    scores = 5 * heads * sequence / hidden
    each = 34 / tensor if is_selective else 10 + (24 + scores) / tensor
    return sequence * microbatch * hidden * layers * each * interleaving


def interleaved(pipeline: int, chunks: int) -> float:
    """Return the activation memory of interleaved stages, as a factor of that of ordinary ones."""
    return 1 + (pipeline - 1) / (pipeline * chunks)
