"""Training of low-rank adapters next to frozen weights.

Hu et al., "LoRA", arXiv 2106.09685; with 4-bit weights, Dettmers et al., "QLoRA", arXiv 2305.14314.
"""

from __future__ import annotations

from workbench.planner.architecture import Architecture, Matrix
from workbench.planner.jobs import TrainingJob
from workbench.planner.weights import quantized_bytes


def trainable_parameters(architecture: Architecture, job: TrainingJob) -> int:
    """Return the elements that are updated: all, or two thin matrices per matrix of the layers."""
    if not job.adapter_rank:
        return architecture.parameters
    return sum(
        block.count * sum(thin_elements(matrix, job.adapter_rank) for matrix in matrices)
        for block in architecture
        for part in (block.feed_forward,)
        for matrices in ((*block.mixer.matrices, *part.matrices * part.experts, *part.shared),)
    )


def thin_elements(matrix: Matrix, rank: int) -> int:
    """Return the elements of the two factors next to a matrix."""
    return rank * (matrix.inputs + matrix.outputs)


def frozen_bytes(architecture: Architecture, job: TrainingJob) -> float:
    """Return the mean bytes of a weight that is not updated."""
    return quantized_bytes(architecture, job.base_bits) / architecture.parameters


def widened_bytes(job: TrainingJob) -> float:
    """Return the bytes read and written per frozen weight to widen it before each product."""
    if not job.adapter_rank or job.base_bits == 16:
        return 0.0
    passes = 3 if job.is_recomputed else 2
    return passes * (job.base_bits / 8 + job.bytes.activation)
