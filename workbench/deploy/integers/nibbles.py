"""Products with 4-bit weights by group, which ONNX Runtime multiplies without decoding them all."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.deploy.integers.graph import Graph, packed_nibbles
from workbench.deploy.integers.stored import Stored

DOMAIN = "com.microsoft"
MIDDLE = 8
"""The zero point that ONNX Runtime assumes."""
SMALLEST_GROUP = 16
NIBBLE = 4
EXACT, ROUNDED = 1, 4
"""Accuracy levels: 32-bit inputs, or inputs that are rounded to 8 bits at run time."""


def fits(stored: Stored) -> bool:
    """Return whether ONNX Runtime has a product for these weights."""
    rows, runs, group = stored.codes.shape
    power = group >= SMALLEST_GROUP and group & (group - 1) == 0
    filled = stored.length == runs * group
    return runs > 1 and power and filled and stored.bits <= NIBBLE and rows == stored.shape[0]


def write_products(graph: Graph, stored: Stored, level: int) -> bool:
    """Replace the products with a constant; return whether all that takes it was one."""
    nodes = graph.consumers(stored.constant)
    if not fits(stored) or not all(_is_product(node, stored) for node in nodes):
        return False
    for number, node in enumerate(nodes):
        _write_product(graph, node, stored, level, f"{stored.name}:{number}")
    return True


def _is_product(node: Any, stored: Stored) -> bool:
    if node.op_type == "MatMul":
        return bool(stored.transposed and node.input[1] == stored.constant)
    if node.op_type != "Gemm" or node.input[1] != stored.constant:
        return False
    values = {attribute.name: attribute for attribute in node.attribute}
    factors = [values[name].f for name in ("alpha", "beta") if name in values]
    flipped = "transA" in values and values["transA"].i
    by_rows = bool("transB" in values and values["transB"].i)
    return all(factor == 1 for factor in factors) and not flipped and by_rows != stored.transposed


def _write_product(graph: Graph, node: Any, stored: Stored, level: int, label: str) -> None:
    rows, runs, group = stored.codes.shape
    shift = MIDDLE - (2 ** (stored.bits - 1) - 1) if stored.symmetric else 0
    packed = np.frombuffer(packed_nibbles(stored.codes + np.uint8(shift)), np.uint8)
    inputs = [
        node.input[0],
        graph.add_constant(f"{stored.name}_packed", packed.reshape(rows, runs, group // 2)),
        graph.add_constant(f"{stored.name}_group_scale", stored.scale.reshape(-1)),
    ]
    if not stored.symmetric:
        zeros = stored.zero_point.reshape(rows, runs)
        zeros = np.pad(zeros, ((0, 0), (0, runs % 2)))
        content = np.frombuffer(packed_nibbles(zeros), np.uint8)
        inputs.append(graph.add_constant(f"{stored.name}_group_zero_point", content))
    bias = node.input[2] if node.op_type == "Gemm" and len(node.input) > 2 else ""
    output = node.output[0]
    graph.nodes = [other for other in graph.nodes if other is not node]
    product = graph.add_node(
        "MatMulNBits",
        inputs,
        f"{label}_product" if bias else output,
        DOMAIN,
        name=node.name,
        K=runs * group,
        N=rows,
        bits=NIBBLE,
        block_size=group,
        accuracy_level=level,
    )
    if bias:
        graph.add_node("Add", [product, bias], output)
