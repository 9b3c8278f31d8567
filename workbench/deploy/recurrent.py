"""Check that gated recurrent units of an ONNX graph are those of PyTorch."""

from __future__ import annotations

import onnx

from workbench.errors import ArtifactError

LAYER, ATTRIBUTE = "GRU", "linear_before_reset"


def check_reset_gates(content: bytes) -> None:
    """Raise `ArtifactError` if a GRU multiplies the state after its reset gate.

    PyTorch multiplies first, which ONNX calls ``linear_before_reset``. Both orders take the same
    weights, so that only the outputs differ.
    """
    for number, node in enumerate(onnx.load_from_string(content).graph.node):
        if node.op_type != LAYER:
            continue
        if not any(attribute.name == ATTRIBUTE and attribute.i for attribute in node.attribute):
            raise ArtifactError(
                f"The reset gate of the recurrent layer {node.name or number} comes before its "
                "product, and in the file after it: do not use this package. Export it again.",
                code="deploy.other_reset",
            )
