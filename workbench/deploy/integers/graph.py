"""An ONNX graph whose nodes can be replaced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, defs, helper, numpy_helper

from workbench.errors import InputError


class Graph:
    """The nodes of an ONNX model, in any order until `write`.

    Attributes
    ----------
    nodes : list
        The NodeProtos.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.nodes: list[Any] = [*model.graph.node]
        self._initializers = {tensor.name: tensor for tensor in model.graph.initializer}
        self.outputs = frozenset(value.name for value in model.graph.output)

    def producer(self, name: str) -> Any | None:
        """Return the node whose output is `name`; None for an input or a constant."""
        return next((node for node in self.nodes if name in node.output), None)

    def consumers(self, name: str) -> list[Any]:
        """Return the nodes that take `name`."""
        return [node for node in self.nodes if name in node.input]

    def is_constant(self, name: str) -> bool:
        """Return whether `name` is stored in the file."""
        return name in self._initializers

    def array(self, name: str) -> NDArray[Any]:
        """Return the values of the constant `name`."""
        return np.asarray(numpy_helper.to_array(self._initializers[name]))

    def shape(self, name: str) -> tuple[type[np.generic], tuple[int, ...]]:
        """Return the type and the shape of the constant `name`."""
        tensor = self._initializers[name]
        return helper.tensor_dtype_to_np_dtype(tensor.data_type).type, tuple(tensor.dims)

    def constants(self) -> list[str]:
        """Return the names of all constants."""
        return [*self._initializers]

    def add_constant(self, name: str, values: NDArray[Any], kind: int | None = None) -> str:
        """Store `values`, and return their name; `kind` is an ONNX type of packed 4 bits."""
        if name not in self._initializers:
            if kind is None:
                tensor = numpy_helper.from_array(np.asarray(values, order="C"), name)
            else:
                tensor = TensorProto(name=name, data_type=kind, dims=values.shape)
                tensor.raw_data = packed_nibbles(values)
            self._initializers[name] = tensor
        return name

    def add_node(
        self, kind: str, inputs: list[str], output: str, domain: str = "", **attributes: Any
    ) -> str:
        """Add a node of the type `kind`, and return the name of its output."""
        node = helper.make_node(kind, inputs, [output], domain=domain, **attributes)
        self.nodes.append(node)
        return output

    def replace_input(self, name: str, new: str, nodes: Iterable[Any]) -> None:
        """Let `nodes` take `new` where they took `name`."""
        for node in nodes:
            for position, taken in enumerate(node.input):
                if taken == name:
                    node.input[position] = new

    def remove(self, node: Any) -> None:
        """Remove a node: what takes its output takes its first input from now on."""
        self.nodes = [other for other in self.nodes if other is not node]
        source, output = node.input[0], node.output[0]
        self.replace_input(output, source, self.consumers(output))
        if output in self.outputs:  # the name of a network's output stays
            producer = self.producer(source)
            if producer is None:
                self.add_node("Identity", [source], output)
                return
            self.replace_input(source, output, self.consumers(source))
            producer.output[[*producer.output].index(source)] = output

    def remove_unused(self, names: Iterable[str]) -> None:
        """Remove the nodes that produce `names` which nothing takes."""
        unused = {name for name in names if not self.consumers(name)} - self.outputs
        self.nodes = [node for node in self.nodes if unused.isdisjoint(node.output)]

    def write(self) -> bytes:
        """Return the model's file, with sorted nodes and only the constants that are used."""
        graph = self.model.graph
        nodes = self._sorted()
        self._shorten(nodes)
        used = Counter(name for node in nodes for name in node.input)
        constants = [t for name, t in self._initializers.items() if used[name]]
        del graph.node[:]
        del graph.initializer[:]
        graph.node.extend(nodes)
        graph.initializer.extend(constants)
        content: bytes = self.model.SerializeToString(deterministic=True)
        return content

    def _shorten(self, nodes: list[Any]) -> None:
        """Give short names to values between nodes, and leave out attributes with defaults."""
        inner = {name for node in nodes for name in taken(node) - set(node.input)}
        fixed = {"", *self._initializers, *self.outputs, *inner}
        fixed |= {value.name for value in self.model.graph.input}
        short = (name for name in map(str, count()) if name not in fixed)
        names: dict[str, str] = {}
        version = next(o.version for o in self.model.opset_import if not o.domain)
        for node in nodes:
            for position, name in enumerate(node.input):
                node.input[position] = names.get(name, name)
            for position, name in enumerate(node.output):
                if name not in fixed:
                    node.output[position] = names[name] = next(short)
            if not node.domain:
                _drop_defaults(node, version)

    def _sorted(self) -> list[Any]:
        """Return the nodes, each after those whose outputs it takes."""
        known = {"", *self._initializers, *(value.name for value in self.model.graph.input)}
        waiting, ordered = self.nodes, []
        while waiting:
            ready: list[Any] = []
            later: list[Any] = []
            for node in waiting:
                fits = known.issuperset(taken(node))
                (ready if fits else later).append(node)
                known |= {*node.output} if fits else set()
            if not ready:
                raise InputError(
                    "The exported graph has a loop and cannot be written.", code="deploy.graph_loop"
                )
            ordered += ready
            waiting = later
        return ordered


def _drop_defaults(node: Any, version: int) -> None:
    defaults = defs.get_schema(node.op_type, version).attributes
    for attribute in [*node.attribute]:
        default = defaults[attribute.name].default_value
        if default.type == attribute.type and _value(default) == _value(attribute):
            node.attribute.remove(attribute)


def _value(attribute: Any) -> Any:
    return helper.get_attribute_value(attribute)


def packed_nibbles(values: NDArray[Any]) -> bytes:
    """Return 4-bit values two to a byte, the first in the low half, as ONNX stores them."""
    flat = values.reshape(-1).astype(np.uint8) & 15
    flat = np.append(flat, np.zeros(len(flat) % 2, np.uint8))
    return (flat[0::2] | flat[1::2] << 4).tobytes()


def taken(node: Any) -> set[str]:
    """Return what a node takes, without what the graphs inside it define themselves."""
    names = set(node.input)
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            local = {t.name for t in (*graph.initializer, *graph.input)}
            local |= {name for inner in graph.node for name in inner.output}
            for inner in graph.node:
                names |= taken(inner) - local
    return names
