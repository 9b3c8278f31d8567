"""Export files with codes: what is done to the module before, and to the ONNX graph after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from workbench.artifact.artifact import Artifact
from workbench.compression.coded import Codes
from workbench.deploy.integers.marks import Rounded, around_layers, mark, mark_convolutions
from workbench.runtime.integer_layers import whole_bias

if TYPE_CHECKING:  # loads onnx
    from workbench.deploy.integers.rewrite import Written


def is_coded(artifact: Artifact) -> bool:
    """Return whether a file has codes that an ONNX graph can hold."""
    return bool(coded_names(artifact) or artifact.spec.inputs)


def coded_names(artifact: Artifact) -> set[str]:
    """Return the names of the tensors that are codes."""
    return {name for name, coded in artifact.tensors.items() if isinstance(coded, Codes)}


def with_rounding(module: nn.Module, artifact: Artifact, *, marks: bool) -> nn.Module:
    """Let a private `module` round inputs, outputs and biases as the file says, and return it.

    Parameters
    ----------
    module
        The network with decoded weights.
    marks
        Whether to mark inputs and outputs for an ONNX graph instead of rounding them.
    """
    spec = artifact.spec
    if marks:
        quantized = {f"{path}.weight" for path, _qparams in spec.inputs}
        mark_convolutions(module, coded_names(artifact) - quantized)
    operands = artifact.operands()
    for path, qparams in spec.inputs:
        if path in spec.biases:
            scale = operands[f"{path}.weight_scale"]
            codes = whole_bias(operands[f"{path}.bias"], scale, qparams.scale)
            bias = (codes * scale.double() * qparams.scale).float()
            module.get_submodule(path).bias = nn.Parameter(bias, requires_grad=False)
    return around_layers(module, spec, mark if marks else Rounded(spec))


def integer_manifest(artifact: Artifact, written: Written | None) -> dict[str, int]:
    """Return how many layers quantize their inputs, and how many are exported as integers."""
    exported = 0 if written is None else len(written.layers.integers)
    return {"quantized": len(artifact.spec.inputs), "exported": exported}
