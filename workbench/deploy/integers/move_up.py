"""Move quantization up through operations that keep the order of values, which changes no value.

Runtimes compute a product in integers where its output is quantized at once. Rounding commutes with
monotone operations, so the next layer's quantization may come before them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.deploy.integers.graph import Graph

CUTTING = ("Relu", "Clip")
PASSING = (*CUTTING, "MaxPool", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze")
PRODUCTS = ("Conv", "Gemm")


def merge_equal(graph: Graph) -> None:
    """Let layers that quantize one tensor with the same parameters share the result."""
    first: dict[tuple[Any, ...], str] = {}
    for node in [*graph.nodes]:
        if node.op_type != "QuantizeLinear":
            continue
        after = [n for n in graph.consumers(node.output[0]) if n.op_type == "DequantizeLinear"]
        if len(after) != 1 or node.output[0] in graph.outputs:
            continue
        key = (node.input[0], *_parameters(graph, node))
        if key not in first:
            first[key] = after[0].output[0]
            continue
        graph.replace_input(after[0].output[0], first[key], graph.consumers(after[0].output[0]))
        graph.nodes = [n for n in graph.nodes if n is not node and n is not after[0]]


def move_up(graph: Graph) -> None:
    """Quantize the outputs of products at once where all that follows rounds them anyhow."""
    for node in [*graph.nodes]:
        if node.op_type == "QuantizeLinear":
            _move(graph, node)


def _move(graph: Graph, quantize: Any) -> None:
    path = _path_to_product(graph, quantize)
    for passed in path:
        source = passed.input[0]
        if passed.op_type in CUTTING and _is_cut_off_anyhow(graph, passed, quantize):
            graph.remove(passed)
            continue
        label = f"{source}_before"
        codes = graph.add_node("QuantizeLinear", [source, *quantize.input[1:]], f"{label}_codes")
        rounded = graph.add_node(
            "DequantizeLinear", [codes, *quantize.input[1:]], f"{label}_rounded"
        )
        graph.replace_input(source, rounded, [passed])


def _is_cut_off_anyhow(graph: Graph, node: Any, quantize: Any) -> bool:
    """Return whether what `node` cuts off has the lowest or the highest code in any case."""
    scale, zero = (graph.array(name) for name in quantize.input[1:3])
    limits = np.iinfo(zero.dtype)
    bounds = [np.float32(0), np.float32(np.inf)]
    if node.op_type == "Clip":
        names = [*node.input[1:], "", ""]
        if any(name and not graph.is_constant(name) for name in names):
            return False
        ends = (-np.inf, np.inf)
        bounds = [
            np.float32(graph.array(name)) if name else np.float32(end)
            for name, end in zip(names, ends, strict=False)
        ]
    codes = [np.clip(np.rint(bound / scale) + zero, limits.min, limits.max) for bound in bounds]
    return bool(codes[0] == limits.min and codes[1] == limits.max)


def _path_to_product(graph: Graph, quantize: Any) -> list[Any]:
    """Return the operations between a product and `quantize`, which reads them alone, last first.

    The list is empty if there is no such product.
    """
    path: list[Any] = []
    name = quantize.input[0]
    while True:
        node = graph.producer(name)
        if node is None or len(graph.consumers(name)) != 1 or name in graph.outputs:
            return []
        if node.op_type in PRODUCTS:
            return path
        if not keeps_order(graph, node):
            return []
        path.append(node)
        name = node.input[0]


def keeps_order(graph: Graph, node: Any) -> bool:
    """Return whether a node gives its inputs in some order, cut off, or the largest of several."""
    if node.op_type == "Pad":  # with other inputs or zeros, which have a code
        modes = [a.s for a in node.attribute if a.name == "mode" and a.s != b"constant"]
        filling = node.input[2] if len(node.input) > 2 else ""
        zero = not filling or (graph.is_constant(filling) and not graph.array(filling).any())
        return bool(modes) or zero
    if node.op_type == "Min":  # the highest code of fewer than 8 bits
        return len(node.input) == 2 and graph.is_constant(node.input[1])
    return node.op_type in PASSING and len(node.output) == 1


def _parameters(graph: Graph, node: Any) -> tuple[Any, ...]:
    scale, zero = (graph.array(name) for name in node.input[1:3])
    return float(scale), str(zero.dtype), int(zero)
