"""Layers with quantized inputs that multiply decoded weights, in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from onnx import TensorProto

from workbench.deploy.integers.graph import Graph


def decode_inputs_by_arithmetic(graph: Graph, products: Iterable[Any]) -> None:
    """Decode the inputs of `products` by ordinary arithmetic, to the same values.

    ONNX Runtime rounds the weights of a product to 8 bits by itself where its inputs come from
    DequantizeLinear and its output goes to QuantizeLinear. It multiplies inputs that do not vary,
    whose rounding it computes once, by weights from DequantizeLinear with a kernel that rounds them
    again.
    """
    for product in products:
        rounded = product.input[0]
        dequantization = graph.producer(rounded)
        assert dequantization is not None, "layers with quantized inputs round them"
        codes, scale, zero = dequantization.input
        label = product.name
        numbers = graph.add_node("Cast", [codes], f"{label}.input_float", to=TensorProto.FLOAT)
        middle = graph.add_node("Cast", [zero], f"{label}.input_zero", to=TensorProto.FLOAT)
        centered = graph.add_node("Sub", [numbers, middle], f"{label}.input_centered")
        product.input[0] = graph.add_node("Mul", [centered, scale], f"{label}.input_decoded")
        graph.remove_unused([rounded])
