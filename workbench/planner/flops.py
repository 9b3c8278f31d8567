"""Floating-point operations per token in training, in the three conventions that are in use."""

from __future__ import annotations

from typing import Literal

from workbench.planner.architecture import Architecture

Convention = Literal["parameters", "palm", "causal"]


def flops_per_token(
    architecture: Architecture, sequence: int, convention: Convention = "causal"
) -> float:
    """Return the FLOPs of forward and backward pass per token.

    Parameters
    ----------
    architecture
        The model. Of experts, those count that a token uses.
    sequence
        Tokens of a sequence.
    convention
        `parameters`: six per parameter. `palm`: also twelve per layer, channel of attention and
        token of the sequence (Chowdhery et al., arXiv 2204.02311). `causal`: half of the latter,
        because a token reads the earlier ones only, and no operations for reading the embedding;
        Megatron-Bridge counts so.
    """
    active = architecture.active_parameters
    pairs = sum(
        block.count * block.mixer.heads * (block.mixer.key_dim + block.mixer.value_dim)
        for block in architecture.attention_blocks
    )
    if convention == "parameters":
        return 6.0 * active
    if convention == "palm":
        return 6.0 * active + 6.0 * pairs * sequence
    windowed = 0.0
    for block in architecture.attention_blocks:
        mixer = block.mixer
        read = mixer.attended(sequence)
        mean = read * (1 - read / (2 * sequence))
        windowed += block.count * mixer.heads * (mixer.key_dim + mixer.value_dim) * mean
    # Biases and norms are not multiplied; they are less than a thousandth of all parameters.
    multiplied = active - (0 if architecture.tied else architecture.embedding)
    return 6.0 * (multiplied - architecture.positions) + 6.0 * windowed
