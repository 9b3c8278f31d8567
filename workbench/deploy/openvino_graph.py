"""Write an ONNX graph so that OpenVINO reads it, and computes what it says.

Tried with OpenVINO 2026.4: it ignores along which axis a Fourier transform goes, refuses pooling
windows that are larger than their input, counts places outside the padding in means, and fails
where it moves scales of quantized layers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import onnx

from workbench.deploy.integers.graph import Graph
from workbench.deploy.integers.move_up import keeps_order

COUNTED = "count_include_pad"
POOLING = ("AveragePool", "MaxPool")
RECURRENT = ("GRU", "LSTM", "RNN")
INFINITY = "workbench.infinity"
RESHAPING = ("Flatten", "Reshape", "Squeeze", "Unsqueeze")
Shapes = Mapping[str, tuple[int | None, ...]]
"""The lengths of the axes of values; None is any length."""


def for_openvino(content: bytes, layers: Collection[str]) -> bytes:
    """Return a graph with the same values for OpenVINO, or `content` if it reads that well.

    Parameters
    ----------
    content
        An ONNX file.
    layers
        The paths of the layers that quantize their inputs.
    """
    model = onnx.load_from_string(content)
    graph = Graph(model)
    kinds = {node.op_type for node in graph.nodes}
    if kinds.isdisjoint({"DFT", *POOLING}) and not layers:
        return content
    shapes = _shapes(model)
    changed = [
        _transform_along_the_first_axis(graph, shapes),
        _pad_before_means(graph),
        _fit_windows(graph, shapes),
    ]
    if layers:
        changed.append(_keep_scales(graph, shapes, layers))
    return graph.write() if any(changed) else content


def _shapes(model: Any) -> Shapes:
    inferred = onnx.shape_inference.infer_shapes(model).graph
    values = (*inferred.value_info, *inferred.input, *inferred.output)
    return {
        value.name: tuple(
            axis.dim_value if axis.HasField("dim_value") else None
            for axis in value.type.tensor_type.shape.dim
        )
        for value in values
        if value.type.tensor_type.HasField("shape")
    }


def _transform_along_the_first_axis(graph: Graph, shapes: Shapes) -> bool:
    """Transpose values so that each Fourier transform goes along the axis after the batch."""
    changed = False
    for node in [*graph.nodes]:
        if node.op_type != "DFT" or len(node.input) < 3 or not graph.is_constant(node.input[2]):
            continue
        source, rank = node.input[0], len(shapes.get(node.input[0], ()))
        axis = int(graph.array(node.input[2])) % max(rank, 1)
        if not rank or axis == 1:
            continue
        order = [*range(rank)]
        order[1], order[axis] = axis, 1
        output, label = node.output[0], node.output[0]
        node.input[0] = graph.add_node("Transpose", [source], f"{label}_turned", perm=order)
        node.input[2] = graph.add_constant(f"{label}_axis", np.asarray(1, np.int64))
        node.output[0] = f"{label}_transformed"
        graph.add_node("Transpose", [node.output[0]], output, perm=order)
        changed = True
    return changed


def _pad_before_means(graph: Graph) -> bool:
    """Pad in a node of its own where the last windows of a mean reach over the padding.

    PyTorch's `ceil_mode` allows them. What lies outside the padding does not count.
    """
    changed = False
    for node in [*graph.nodes]:
        values = {attribute.name: attribute for attribute in node.attribute}
        counted = all(name in values and values[name].i for name in ("ceil_mode", COUNTED))
        padded = "pads" in values and any(values["pads"].ints)
        if node.op_type != "AveragePool" or not counted or not padded:
            continue
        half = len(values["pads"].ints) // 2
        before, after = values["pads"].ints[:half], values["pads"].ints[half:]
        label = node.output[0]
        widths = np.asarray([0, 0, *before, 0, 0, *after], np.int64)
        padding = [node.input[0], graph.add_constant(f"{label}_pads", widths)]
        node.input[0] = graph.add_node("Pad", padding, f"{label}_padded")
        node.attribute.remove(values["pads"])
        node.attribute.remove(values[COUNTED])
        changed = True
    return changed


def _fit_windows(graph: Graph, shapes: Shapes) -> bool:
    """Make pooling windows no larger than an input without padding, which changes no value.

    PyTorch's `ceil_mode` allows them.
    """
    changed = False
    for node in graph.nodes:
        if node.op_type not in POOLING:
            continue
        values = {attribute.name: attribute for attribute in node.attribute}
        window, lengths = values["kernel_shape"].ints, shapes.get(node.input[0], ())[2:]
        padded = "pads" in values and any(values["pads"].ints)
        spread = "dilations" in values and any(step > 1 for step in values["dilations"].ints)
        if padded or spread or not lengths or None in lengths:
            continue
        fitting = [min(*pair) for pair in zip(window, lengths, strict=True)]
        if fitting != [*window]:
            window[:] = fitting
            changed = True
    return changed


def _keep_scales(graph: Graph, shapes: Shapes, layers: Collection[str]) -> bool:
    """Keep OpenVINO from moving scales to where it has no operation or no shape for them.

    The minimum of values and infinity is the same values, and stops it.
    """
    taken = {
        (name, id(node))
        for node in graph.nodes
        if node.op_type in RECURRENT
        for name in node.input[1:3]
        if graph.producer(name) is not None
    }
    for product in [node for node in graph.nodes if node.name.partition(":")[0] in layers]:
        output = _with_bias(graph, product)
        taken |= {
            (output, id(node))
            for node in graph.consumers(output)
            if _moves_channels(graph, node, shapes)
        }
    for name in sorted({name for name, _node in taken}):
        nodes = [node for node in graph.nodes if (name, id(node)) in taken]
        bound = graph.add_constant(INFINITY, np.asarray(np.inf, np.float32))
        graph.replace_input(name, graph.add_node("Min", [name, bound], f"{name}_kept"), nodes)
    return bool(taken)


def _with_bias(graph: Graph, product: Any) -> str:
    """Return the output of a product, after the addition of its bias."""
    output = str(product.output[0])
    consumers = graph.consumers(output)
    if len(consumers) != 1 or consumers[0].op_type != "Add":
        return output
    (bias,) = [name for name in consumers[0].input if name != output] or [output]
    producer = graph.producer(bias)
    stored = graph.is_constant(producer.input[0] if producer is not None else bias)
    return str(consumers[0].output[0]) if stored else output


def _moves_channels(graph: Graph, node: Any, shapes: Shapes) -> bool:
    """Return whether a node adds or removes axes, and no layer rounds its output at once."""
    before, after = (shapes.get(name, ()) for name in (node.input[0], node.output[0]))
    if node.op_type not in RESHAPING or _is_rounded(graph, node):
        return False
    return not before or not after or after[-1] in (1, before[-1])


def _is_rounded(graph: Graph, node: Any) -> bool:
    while keeps_order(graph, node):
        consumers = graph.consumers(node.output[0])
        if len(consumers) != 1:
            return False
        node = consumers[0]
    return bool(node.op_type == "QuantizeLinear")
