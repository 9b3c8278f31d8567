"""What NVIDIA publishes about the ONNX files that TensorRT reads, checked on a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workbench.errors import InputError

OPSETS = range(9, 26)
"""Of its ONNX parser, by NVIDIA's ONNX Opset Guide for TensorRT 11."""
QUANTIZED = ("INT8", "INT4", "FLOAT8E4M3FN")
"""Types of codes between QuantizeLinear and DequantizeLinear, by ONNX-TensorRT's operators.md."""
INTEGER_OPERATORS = ("ConvInteger", "MatMulInteger", "QLinearConv", "QLinearMatMul")
"""Operators on codes that its parser does not have."""
Q_OPERATORS = ("QuantizeLinear", "DequantizeLinear")


def check_rules(content: bytes) -> None:
    """Check that TensorRT reads an ONNX file.

    Raises
    ------
    InputError
        If the file breaks a rule; the sentence names it.
    """
    import onnx

    model = onnx.load_from_string(content)
    problem = next(_problems(model), None)
    if problem is not None:
        raise InputError(f"TensorRT does not run this network: {problem}.", code="deploy.tensorrt")


def _problems(model: Any) -> Iterator[str]:
    for opset in model.opset_import:
        if opset.domain not in {"", "ai.onnx"}:
            yield f"it has operators of {opset.domain}"
        elif opset.version not in OPSETS:
            yield f"opset {opset.version} is not among {OPSETS.start} to {OPSETS.stop - 1}"
    values = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type in INTEGER_OPERATORS:
            yield f"{node.op_type} is not an operator of its parser"
        if node.op_type in Q_OPERATORS:
            yield from _code_problems(node, values)


def _code_problems(node: Any, values: Mapping[str, Any]) -> Iterator[str]:
    """Yield what TensorRT does not read of a node that quantizes or dequantizes."""
    from onnx import TensorProto, numpy_helper

    codes = values.get(node.input[0])
    if any(name not in values for name in node.input[1:]):
        yield "a scale or zero point is computed, not stored"
        return
    scale, *zero_points = (values[name] for name in node.input[1:])
    for zero_point in zero_points:
        if TensorProto.DataType.Name(zero_point.data_type) not in QUANTIZED:
            yield "its codes are not signed: choose symmetric input ranges"
        elif numpy_helper.to_array(zero_point).any():
            yield "a zero point is not 0: choose symmetric input ranges"
    if not zero_points and node.op_type == "QuantizeLinear":
        yield "its codes are not signed: choose symmetric input ranges"  # uint8 by default
    axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 1)
    if codes is not None and len(scale.dims) == 1 and axis != 0:
        yield "weights have scales along another axis than that of their outputs"
