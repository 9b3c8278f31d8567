"""How many bytes a large model takes under a recipe that was measured on a small one."""

from __future__ import annotations

from math import prod

from workbench.artifact.ledger import Ledger
from workbench.errors import InputError
from workbench.planner.architecture import Architecture

REST_BYTES = 2
"""Bytes of an element of norms and biases, which recipes leave uncompressed."""


def bits_per_weight(ledger: Ledger) -> float:
    """Return the mean bits of an element of the matrices of a file, with positions and scales.

    Parameters
    ----------
    ledger
        The bytes of a compressed file by tensor.

    Raises
    ------
    InputError
        If the file holds no matrix.
    """
    matrices = [row for row in ledger.rows if len(row.shape) > 1]
    elements = sum(prod(row.shape) for row in matrices)
    if not elements:
        raise InputError(
            "This file holds no matrix, so nothing can be scaled; give a compressed network.",
            code="plan.no_matrix",
        )
    return 8 * sum(row.total for row in matrices) / elements


def matrix_elements(architecture: Architecture) -> int:
    """Return the elements of all matrices, of all experts, with embedding and head."""
    layers = 0
    for block in architecture:
        part = block.feed_forward
        experts = part.experts * sum(matrix.weights for matrix in part.matrices)
        common = sum(matrix.weights for matrix in part.shared + part.router)
        layers += block.count * (block.mixer.weights + experts + common)
    return layers + architecture.embedding * (1 if architecture.tied else 2)


def compressed_bytes(architecture: Architecture, bits: float) -> float:
    """Return the bytes of a model whose matrices take `bits` per element."""
    matrices = matrix_elements(architecture)
    return matrices * bits / 8 + (architecture.parameters - matrices) * REST_BYTES
