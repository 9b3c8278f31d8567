"""How many bytes a large model takes under a recipe that was measured on a small one."""

from __future__ import annotations

from math import prod

from workbench.artifact.ledger import Ledger
from workbench.errors import InputError
from workbench.planner.architecture import Architecture
from workbench.planner.weights import REST_BYTES, layer_matrices


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
            "This file holds no matrix, so nothing can be scaled; pass a compressed network.",
            code="plan.no_matrix",
        )
    return 8 * sum(row.total for row in matrices) / elements


def matrix_elements(architecture: Architecture) -> int:
    """Return the elements of all matrices, of all experts, with routers, embedding and head."""
    routers = sum(
        block.count * matrix.weights
        for block in architecture
        for matrix in block.feed_forward.router
    )
    ends = architecture.embedding * (1 if architecture.tied else 2)
    return layer_matrices(architecture) + routers + ends


def compressed_bytes(architecture: Architecture, bits: float) -> float:
    """Return the bytes of a model whose matrices take `bits` per element, and norms 16."""
    matrices = matrix_elements(architecture)
    return matrices * bits / 8 + (architecture.parameters - matrices) * REST_BYTES
