"""Write the codes of a compressed file into its exported ONNX graph."""

from __future__ import annotations

from dataclasses import dataclass

import onnx

from workbench.artifact.artifact import Artifact
from workbench.deploy.integers import nibbles
from workbench.deploy.integers.decoded import decode_inputs_by_arithmetic
from workbench.deploy.integers.graph import Graph
from workbench.deploy.integers.layers import Layers, write_layers
from workbench.deploy.integers.move_up import merge_equal, move_up
from workbench.deploy.integers.stored import stored_weights
from workbench.deploy.integers.weights import write_weight
from workbench.deploy.integers.whole_sums import write_whole_sums
from workbench.deploy.target import ROUNDED_INPUTS, Target

OPSET = 21
"""The first version of ONNX whose tensors have 4 bits."""


@dataclass(frozen=True)
class Written:
    """A rewritten graph, and what is stored how.

    Attributes
    ----------
    content : bytes
        The ONNX file.
    layers : Layers
        The layers with quantized inputs.
    small : tuple of str
        Tensors that are stored as codes.
    products : tuple of str
        Tensors of 4 bits that are multiplied without being decoded as a whole.
    """

    content: bytes
    layers: Layers
    small: tuple[str, ...]
    products: tuple[str, ...]


def with_codes(content: bytes, artifact: Artifact, target: Target) -> Written:
    """Return the graph of `artifact` with codes in place of decoded numbers.

    Raises
    ------
    InputError
        If the exporter has merged a layer with quantized inputs with other operations.
    """
    model = onnx.load_from_string(content)
    graph = Graph(model)
    layers = write_layers(
        graph,
        artifact.tensors,
        artifact.spec,
        by_arithmetic=target.runtime == "openvino",
        unsigned=target.runtime == "onnxruntime",
    )
    merge_equal(graph)
    move_up(graph)
    if target.runtime == "onnxruntime":
        decode_inputs_by_arithmetic(graph, layers.by_arithmetic)
        write_whole_sums(graph, layers, artifact.spec)
    small, products = [*layers.integers], list[str]()
    level = nibbles.ROUNDED if target.precision == ROUNDED_INPUTS else nibbles.EXACT
    for stored in stored_weights(graph, artifact.tensors):
        small += stored.names
        if target.runtime == "onnxruntime" and nibbles.write_products(graph, stored, level):
            products += stored.names
        else:
            write_weight(graph, stored)
    _set_versions(model, microsoft=bool(products))
    return Written(graph.write(), layers, tuple(small), tuple(products))


def _set_versions(model: onnx.ModelProto, *, microsoft: bool) -> None:
    for entry in model.opset_import:
        if entry.domain == "":
            entry.version = max(entry.version, OPSET)
    if microsoft:
        model.opset_import.add(domain=nibbles.DOMAIN, version=1)
