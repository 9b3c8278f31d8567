"""Products in ONNX Runtime whose outputs or biases are no whole numbers.

It multiplies integers in a convolution only where the output is quantized at once. Elsewhere its
operator ConvInteger returns the sums as whole numbers, and ordinary operations decode them. In a
Gemm it multiplies them only if the bias is a whole number too; a MatMul has no bias.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto

from workbench.artifact.module_spec import ModuleSpec
from workbench.deploy.integers.graph import Graph
from workbench.deploy.integers.layers import Layers
from workbench.deploy.integers.onnx_qparams import MIDDLES

OPERATORS = {"Conv": "ConvInteger", "Gemm": "MatMulInteger"}
"""What returns whole sums, by the product that it replaces."""
MIDDLE = MIDDLES[np.uint8]


def write_whole_sums(graph: Graph, layers: Layers, spec: ModuleSpec) -> None:
    """Replace the products that ONNX Runtime would compute with decoded numbers."""
    for path, products in layers.integers.items():
        for number, product in enumerate(products):
            if not _is_computed_in_integers(graph, product):
                products[number] = _write(graph, path, product, whole_bias=path in spec.biases)


def _is_computed_in_integers(graph: Graph, product: Any) -> bool:
    if product.op_type == "Conv":
        output = product.output[0]
        kinds = [node.op_type for node in graph.consumers(output)]
        return output not in graph.outputs and kinds == ["QuantizeLinear"]
    return product.op_type != "Gemm" or not graph.is_constant(_bias(product))


def _bias(product: Any) -> str:
    return str(product.input[2]) if len(product.input) > 2 else ""


def _write(graph: Graph, path: str, product: Any, *, whole_bias: bool) -> Any:
    """Replace a product, and return the new one, which has its name."""
    label, output, bias = product.name, product.output[0], _bias(product)
    inputs, weights = (graph.producer(name) for name in product.input[:2])
    assert inputs is not None, "layers with quantized inputs round them"
    assert weights is not None, "the weights are codes"
    codes, scale, zero = inputs.input
    values = {attribute.name: attribute for attribute in product.attribute}
    written = graph.array(weights.input[0])
    written = (written + np.int16(MIDDLE - MIDDLES[written.dtype.type])).astype(np.uint8)
    per_row = (-1, *[1] * (written.ndim - 2)) if product.op_type == "Conv" else (-1,)
    if "transB" in values and values["transB"].i:
        written = written.T
    unit = graph.array(weights.input[1]).astype(float) * graph.array(scale)
    taken = [
        codes,
        graph.add_constant(f"{path}.weight.u", written),
        zero,
        graph.add_constant(f"{path}.weight.m", np.asarray(MIDDLE, np.uint8)),
    ]
    graph.nodes = [node for node in graph.nodes if node is not product]
    sums = graph.add_node(OPERATORS[product.op_type], taken, f"{label}_sums", name=label)
    replaced = graph.nodes[-1]
    if product.op_type == "Conv":
        replaced.attribute.extend(product.attribute)
    if bias and whole_bias:
        dequantization = graph.producer(bias)
        assert dequantization is not None, "whole biases are decoded"
        steps = graph.array(dequantization.input[0]).reshape(per_row)
        added = graph.add_constant(f"{label}.bias.w", steps)
        sums = graph.add_node("Add", [sums, added], f"{label}_biased")
        bias = ""
    numbers = graph.add_node("Cast", [sums], f"{label}_float", to=TensorProto.FLOAT)
    step = graph.add_constant(f"{label}.unit", unit.astype(np.float32).reshape(per_row))
    decoded = graph.add_node("Mul", [numbers, step], f"{label}_values" if bias else output)
    if bias:
        added = graph.add_constant(f"{label}.bias.f", graph.array(bias).reshape(per_row))
        graph.add_node("Add", [decoded, added], output)
    graph.remove_unused(product.input)
    return replaced
