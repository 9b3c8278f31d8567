"""Replace the marks of layers in an ONNX graph by the codes of a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from workbench.artifact.module_spec import ModuleSpec
from workbench.compression.coded import Coded, Codes
from workbench.deploy.integers.graph import Graph, taken
from workbench.deploy.integers.marks import DOMAIN, OPERATOR
from workbench.deploy.integers.move_up import keeps_order
from workbench.deploy.integers.onnx_qparams import (
    MIDDLES,
    add_rounding,
    add_rounding_by_arithmetic,
    row_codes,
)
from workbench.errors import InputError
from workbench.runtime.integer_layers import whole_bias

PRODUCTS = ("Conv", "Gemm", "MatMul")


@dataclass
class Layers:
    """The quantized layers of a file in a graph.

    Attributes
    ----------
    integers : dict
        By the path of a layer whose weights are written as 8-bit codes, its product nodes.
    decoded : dict
        By the path of a layer whose weights no integer kernel takes and are therefore decoded, its
        product nodes.
    constant : dict
        By the path of a layer, its product nodes that do not depend on the network's inputs: their
        weights are decoded, because runtimes compute them once.
    """

    integers: dict[str, list[Any]] = field(default_factory=dict)
    decoded: dict[str, list[Any]] = field(default_factory=dict)
    constant: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def used(self) -> set[str]:
        """The paths of all layers; the exporter leaves out those whose outputs nothing uses."""
        return {*self.integers, *self.decoded, *self.constant}

    @property
    def by_arithmetic(self) -> list[Any]:
        """The product nodes whose weights are decoded."""
        return [*chain(*self.decoded.values(), *self.constant.values())]

    def with_float_biases(self, rounded: Collection[str]) -> list[str]:
        """Return the layers whose product adds a bias, other than the `rounded` ones."""
        return [
            path
            for path, nodes in self.integers.items()
            if path not in rounded and any(_has_bias(node) for node in nodes)
        ]


def _has_bias(product: Any) -> bool:
    return product.op_type in PRODUCTS and len(product.input) > 2 and bool(product.input[2])


def write_layers(
    graph: Graph,
    tensors: Mapping[str, Coded],
    spec: ModuleSpec,
    *,
    by_arithmetic: bool = False,
    unsigned: bool = False,
) -> Layers:
    """Write the codes of all quantized layers in place of the marks of `graph`.

    Each product gets the path of its layer as its name; of a second call, with its number. With
    `by_arithmetic`, outputs are rounded by ordinary arithmetic: OpenVINO merges other forms with
    the additions that follow, and then rounds differently. With `unsigned`, inputs and outputs have
    unsigned codes, and so have weights that are used more than once. ONNX Runtime makes signed
    codes unsigned by itself, but refuses networks where it has first written the type of signed
    codes before or after an operation that only moves values, and networks with several uses of
    signed weights.

    Raises
    ------
    InputError
        If the exporter has merged a layer with other operations.
    """
    marks = [_Mark.of(node) for node in graph.nodes if _is_mark(node)]
    varying = _varying(graph)
    constant = {id(mark.node) for mark in marks if mark.node.input[0] not in varying}
    uses = Counter(mark.path for mark in marks if not mark.leaving)
    layers, calls = Layers(), Counter[str]()
    for mark in marks:
        if mark.leaving:
            _write_output(
                graph, mark.node, mark.path, spec, by_arithmetic=by_arithmetic, unsigned=unsigned
            )
            continue
        calls[mark.path] += 1
        _write_layer(
            graph,
            mark,
            calls[mark.path],
            tensors,
            spec,
            layers,
            unsigned=unsigned,
            shared=uses[mark.path] > 1,
            constant=id(mark.node) in constant,
        )
    remaining = [entry for entry in graph.model.opset_import if entry.domain != DOMAIN]
    del graph.model.opset_import[:]
    graph.model.opset_import.extend(remaining)
    return layers


def _is_mark(node: Any) -> bool:
    return bool(node.domain == DOMAIN and node.op_type == OPERATOR)


def _varying(graph: Graph) -> set[str]:
    """Return the names of all values that depend on the inputs of a graph with sorted nodes."""
    names = {value.name for value in graph.model.graph.input}
    for node in graph.nodes:
        if not names.isdisjoint(taken(node)):
            names |= {*node.output}
    return names


class _Mark(NamedTuple):
    """A node before or after a layer, and the layer's path."""

    node: Any
    path: str
    leaving: bool

    @classmethod
    def of(cls, node: Any) -> _Mark:
        values = {attribute.name: attribute for attribute in node.attribute}
        return cls(node, values["path"].s.decode(), bool(values["leaving"].i))


def _write_output(
    graph: Graph, node: Any, path: str, spec: ModuleSpec, *, by_arithmetic: bool, unsigned: bool
) -> None:
    qparams = dict(spec.outputs).get(path)
    if qparams is None:
        graph.remove(node)
        return
    label = f"{path}.output:{node.output[0]}"
    if by_arithmetic:
        rounded = add_rounding_by_arithmetic(graph, node.input[0], label, qparams)
    else:
        rounded = add_rounding(graph, node.input[0], label, qparams, unsigned=unsigned)
    node.input[0] = rounded
    graph.remove(node)


def _write_layer(
    graph: Graph,
    mark: _Mark,
    call: int,
    tensors: Mapping[str, Coded],
    spec: ModuleSpec,
    layers: Layers,
    *,
    unsigned: bool,
    shared: bool,
    constant: bool,
) -> None:
    node, path = mark.node, mark.path
    qparams = dict(spec.inputs)[path]
    product = _product_after(graph, node)
    if product is None:
        raise InputError(
            f"The exported graph does not contain {path} as one product: exclude it from the "
            "recipe's activations.",
            code="deploy.layer_not_found",
        )
    label = path if call == 1 else f"{path}:{call}"
    product.name = label
    graph.remove(node)
    source = product.input[0]
    product.input[0] = add_rounding(graph, source, f"{label}.input", qparams, unsigned=unsigned)
    coded = tensors[f"{path}.weight"]
    if not isinstance(coded, Codes) or not coded.has_row_scales:
        layers.decoded.setdefault(path, []).append(product)
        return
    centered, scale = coded.centered_codes()
    codes = row_codes(centered.numpy())
    if path in spec.biases:
        bias = tensors[f"{path}.bias"].tensor()
        unit = scale.double() * qparams.scale
        _write_bias(
            graph,
            product,
            label,
            whole_bias(bias, scale, qparams.scale).numpy().astype(np.int32),
            unit.float().numpy(),
        )
    if codes is None:
        layers.decoded.setdefault(path, []).append(product)
        return
    if constant:
        layers.constant.setdefault(path, []).append(product)
        return
    transposed = _is_transposed(graph, product, codes.shape)
    axis = codes.ndim - 1 if transposed else 0
    name = f"{path}.weight"
    rounded = f"{path}.weight_rounded"
    if graph.producer(rounded) is None:
        kind = np.uint8 if unsigned and shared else np.int8
        written = (codes.astype(np.int16) + MIDDLES[kind]).astype(kind)
        inputs = [
            graph.add_constant(f"{name}.q", written.T if transposed else written),
            graph.add_constant(f"{name}.s", scale.numpy()),
            graph.add_constant(f"{name}.z", np.full(len(codes), MIDDLES[kind], kind)),
        ]
        graph.add_node("DequantizeLinear", inputs, rounded, axis=axis)
    product.input[1] = rounded
    layers.integers.setdefault(path, []).append(product)


def _product_after(graph: Graph, mark: Any) -> Any | None:
    """Return the product whose input is marked; None if there is not exactly one.

    A convolution may pad its inputs first with other inputs or zeros, which have codes.
    """
    node = mark
    while node is mark or keeps_order(graph, node):
        consumers = graph.consumers(node.output[0])
        if len(consumers) != 1 or consumers[0].input[0] != node.output[0]:
            return None
        node = consumers[0]
    return node if node.op_type in PRODUCTS else None


def _is_transposed(graph: Graph, product: Any, shape: tuple[int, ...]) -> bool:
    """Return whether the product takes the weight as [inputs, outputs]."""
    if product.op_type == "Conv":
        return False
    if product.op_type == "Gemm":
        flags = {attribute.name: attribute.i for attribute in product.attribute}
        return not flags.get("transB", 0)
    return True


def _write_bias(
    graph: Graph, product: Any, label: str, codes: np.ndarray[Any, Any], unit: np.ndarray[Any, Any]
) -> None:
    """Write a bias as whole numbers of `unit`, in the product or in the addition after it."""
    node, position = product, 2
    if len(product.input) <= position or not product.input[position]:
        additions = [n for n in graph.consumers(product.output[0]) if n.op_type == "Add"]
        if not additions and not codes.any():
            return  # the exporter left out an addition of zeros
        if len(additions) != 1:
            raise InputError(
                f"The exported graph does not contain the bias of {label}: leave out the recipe's "
                "int32 biases.",
                code="deploy.bias_not_found",
            )
        node = additions[0]
        position = 1 if node.input[0] == product.output[0] else 0
    name = f"{label}.bias"
    node.input[position] = graph.add_node(
        "DequantizeLinear",
        [
            graph.add_constant(f"{name}.q", codes),
            graph.add_constant(f"{name}.s", unit),
        ],
        f"{name}_rounded",
        axis=0,
    )
