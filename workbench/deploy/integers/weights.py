"""Keep the weights of a file as small in an ONNX graph as their codes allow."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto

from workbench.deploy.integers.graph import Graph
from workbench.deploy.integers.stored import Stored

NIBBLE = 4
FEWEST = 256
"""Weights that are worth a few nodes."""


def write_weight(graph: Graph, stored: Stored) -> None:
    """Replace a constant by its codes and the arithmetic that decodes them.

    Runtimes do this arithmetic once, when they load the graph. A table of embeddings stays codes:
    only the rows that are looked up are decoded. The values are those of the file, bit by bit.
    """
    if stored.codes.size < FEWEST:
        return
    consumers = graph.consumers(stored.constant)
    lookups = [node for node in consumers if _looks_up(node, stored)]
    others = [node for node in consumers if not any(node is other for other in lookups)]
    for number, node in enumerate(lookups):
        _write_lookup(graph, node, stored, number)
    if others:
        graph.replace_input(stored.constant, _decoding(graph, stored), others)


def _looks_up(node: Any, stored: Stored) -> bool:
    axis = next((a.i for a in node.attribute if a.name == "axis"), 0)
    per_row = stored.codes.shape[1] == 1 and len(stored.shape) == 2
    by_row = per_row and not stored.transposed and stored.codes.shape[0] == stored.shape[0]
    return bool(
        node.op_type == "Gather" and axis == 0 and node.input[0] == stored.constant and by_row
    )


def _write_lookup(graph: Graph, node: Any, stored: Stored, number: int) -> None:
    label, indices, output = f"{stored.name}:{number}", node.input[1], node.output[0]
    graph.nodes = [other for other in graph.nodes if other is not node]
    parts = []
    for part, constant in _constants(graph, stored, packed=False).items():
        taken = graph.add_node("Gather", [constant, indices], f"{label}_{part}")
        if part != "scale":
            taken = graph.add_node("Cast", [taken], f"{taken}_float", to=TensorProto.FLOAT)
        parts.append(taken)
    codes, *zero, scale = parts
    if zero:
        codes = graph.add_node("Sub", [codes, *zero], f"{label}_centered")
    graph.add_node("Mul", [codes, scale], output)


def _decoding(graph: Graph, stored: Stored) -> str:
    rows, runs, group = stored.codes.shape
    shaped = runs == 1 and stored.length == group and stored.shape[0] == rows
    parts = _constants(graph, stored, packed=stored.bits <= NIBBLE, shaped=shaped)
    codes, *zero, scale = [
        name
        if part == "scale"
        else graph.add_node("Cast", [name], f"{name}_float", to=TensorProto.FLOAT)
        for part, name in parts.items()
    ]
    label = stored.name
    if zero:
        codes = graph.add_node("Sub", [codes, *zero], f"{label}_centered")
    values = graph.add_node("Mul", [codes, scale], f"{label}_values")
    if stored.length < runs * group:
        values = _without_filling(graph, stored, values)
    if not shaped:
        shape = graph.add_constant(f"{label}_shape", np.array(stored.shape, np.int64))
        values = graph.add_node("Reshape", [values, shape], f"{label}_reshaped")
    if stored.transposed:
        values = graph.add_node("Transpose", [values], f"{label}_transposed", perm=[*stored.order])
    return values


def _without_filling(graph: Graph, stored: Stored, values: str) -> str:
    """Cut off what fills up the last run of each row, and return the rows [rows, length]."""
    label = stored.name
    names = ("rows", "starts", "ends", "axes")
    numbers = ([len(stored.codes), -1], [0], [stored.length], [1])
    rows, starts, ends, axes = (
        graph.add_constant(f"{label}_{name}", np.array(number, np.int64))
        for name, number in zip(names, numbers, strict=True)
    )
    filled = graph.add_node("Reshape", [values, rows], f"{label}_filled")
    return graph.add_node("Slice", [filled, starts, ends, axes], f"{label}_cut")


def _constants(
    graph: Graph, stored: Stored, *, packed: bool, shaped: bool = False
) -> dict[str, str]:
    """Store codes, zero points unless they are all the middle code of 8 bits, and scales.

    If they are `shaped`, the codes have the shape of the weights: OpenVINO misreads a reshape
    between the codes of a grouped convolution and its weights.
    """
    rows, runs, group = stored.codes.shape
    shape = stored.shape if shaped else (rows, runs, group) if runs > 1 else (rows, group)
    units = (rows, *[1] * (len(shape) - 1)) if runs == 1 else (rows, runs, 1)
    codes, zero = stored.codes.reshape(shape), stored.zero_point.reshape(units)
    names = {}
    if packed:
        names["codes"] = graph.add_constant(f"{stored.name}_nibbles", codes, TensorProto.UINT4)
    elif stored.symmetric:
        centered = (codes.astype(np.int16) - zero).astype(np.int8)
        names["codes"] = graph.add_constant(f"{stored.name}_codes", centered)
    else:
        names["codes"] = graph.add_constant(f"{stored.name}_bytes", codes)
    if packed or not stored.symmetric:
        zeros = zero[:1].reshape(-1)[:1] if stored.symmetric else zero
        names["zero_point"] = graph.add_constant(f"{stored.name}_zero_point", zeros)
    names["scale"] = graph.add_constant(f"{stored.name}_row_scale", stored.scale.reshape(units))
    return names
