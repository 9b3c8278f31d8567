"""Bytes of weights: with few bits, only the matrices of the layers are quantized.

Embedding, head, norms and routers stay in 16 bits, as in bitsandbytes, GPTQ and AWQ.
"""

from __future__ import annotations

from workbench.planner.architecture import Architecture

SCALE_BITS = {16: 0.0, 8: 0.125, 4: 0.127}
"""Bits per weight of the scales of quantized weights; those of 4 bits are quantized too (QLoRA)."""
REST_BYTES = 2
"""Bytes of an element that is not quantized."""


def layer_matrices(architecture: Architecture) -> int:
    """Return the elements of all matrices of the layers, of all experts, without routers."""
    total = 0
    for block in architecture:
        part = block.feed_forward
        experts = part.experts * sum(matrix.weights for matrix in part.matrices)
        shared = sum(matrix.weights for matrix in part.shared)
        total += block.count * (block.mixer.weights + experts + shared)
    return total


def element_bytes(bits: float) -> float:
    """Return the bytes of a quantized weight with its share of the scales."""
    return (bits + SCALE_BITS.get(int(bits), 0.0)) / 8


def quantized_bytes(architecture: Architecture, bits: float) -> float:
    """Return the bytes of all weights, those of matrices of the layers with `bits` each."""
    matrices = layer_matrices(architecture)
    return matrices * element_bytes(bits) + (architecture.parameters - matrices) * REST_BYTES
