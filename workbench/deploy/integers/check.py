"""Compare the scales, zero points and codes in an ONNX graph with those of its file."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from workbench.artifact.artifact import Artifact
from workbench.artifact.module_spec import InputQParams
from workbench.compression.coded import Codes
from workbench.deploy.integers.graph import Graph
from workbench.deploy.integers.onnx_qparams import MIDDLES, OnnxQParams
from workbench.deploy.integers.whole_sums import OPERATORS
from workbench.errors import ArtifactError
from workbench.runtime.integer_layers import whole_bias


def check_integers(content: bytes, artifact: Artifact) -> None:
    """Raise `ArtifactError` if the numbers of a layer of the graph differ from those of the file.

    Every layer with quantized inputs whose outputs are used must be there, with the file's scale,
    zero point and codes.
    """
    graph = Graph(onnx.load_from_string(content))
    by_name = {node.name: node for node in graph.nodes if node.name}
    for path, qparams in artifact.spec.inputs:
        node = by_name.get(path)
        if node is None and not any(name.startswith(f"{path}.") for name in graph.constants()):
            continue  # its outputs are not used, and the exporter left it out
        if node is None:
            raise _error(path, "product", "is missing in the package")
        _check_grid(_written_qparams(graph, node.input[0], path), qparams, path)
        if node.op_type in OPERATORS.values():
            _check_whole_sums(graph, node, artifact, path, qparams)
            continue
        _check_weight(graph, node, artifact, path)
        if path in artifact.spec.biases:
            _check_bias(graph, node, artifact, path, qparams)
    written = (*artifact.spec.inputs, *artifact.spec.outputs)
    known = [OnnxQParams.of(q, unsigned=kind) for _path, q in written for kind in (False, True)]
    for node in graph.nodes:
        if node.op_type == "QuantizeLinear":
            scale, zero = (graph.array(name) for name in node.input[1:3])
            if not any(_same(qparams, scale, zero) for qparams in known):
                raise _error(node.input[1], "rounding", "is not in the file")


def _check_grid(
    parameters: tuple[NDArray[Any], NDArray[Any]], qparams: InputQParams, path: str
) -> None:
    scale, zero = parameters
    written = OnnxQParams.of(qparams, unsigned=zero.dtype == np.uint8)
    if scale != written.scale:
        raise _error(
            path, "scale of the inputs", f"is {scale:.7g} and in the file {written.scale:.7g}"
        )
    if not _same(written, scale, zero):
        raise _error(path, "zero point of the inputs", f"is {zero} and in the file {written[1]}")


def _check_weight(graph: Graph, product: Any, artifact: Artifact, path: str) -> None:
    coded = artifact.tensors[f"{path}.weight"]
    node = graph.producer(product.input[1])
    if node is None or node.op_type != "DequantizeLinear":
        return  # decoded weights: the predictions are compared
    assert isinstance(coded, Codes)
    _check_codes(graph, node.input[0], [*node.input[2:3]], coded, path)
    if not np.array_equal(graph.array(node.input[1]), coded.centered_codes()[1].numpy()):
        raise _error(path, "scale of the weights", "is another than in the file")


def _check_codes(graph: Graph, name: str, zeros: list[str], coded: Codes, path: str) -> None:
    codes = graph.array(name)
    middle = MIDDLES.get(codes.dtype.type)
    if middle is None:
        raise _error(path, "weights", f"have codes of the type {codes.dtype}")
    expected = (coded.centered_codes()[0].numpy() + middle).astype(codes.dtype)
    if not any(np.array_equal(codes, array) for array in (expected, expected.T)):
        raise _error(path, "weights", "have other codes than in the file")
    if not zeros or (graph.array(zeros[0]) != middle).any():
        raise _error(path, "zero point of the weights", "is another than in the file")


def _check_whole_sums(
    graph: Graph, product: Any, artifact: Artifact, path: str, qparams: InputQParams
) -> None:
    coded = artifact.tensors[f"{path}.weight"]
    assert isinstance(coded, Codes)
    _check_codes(graph, product.input[1], [*product.input[3:4]], coded, path)
    scale = coded.centered_codes()[1]
    unit = (scale.double() * qparams.scale).float().numpy()
    following = _followers(graph, product)
    if not any(np.array_equal(array, unit) for array in following["Mul"]):
        raise _error(path, "scale of the weights", "is another than in the file")
    if path in artifact.spec.biases:
        bias = artifact.tensors[f"{path}.bias"].tensor()
        expected = whole_bias(bias, scale, qparams.scale).numpy()
        if expected.any() and not any(np.array_equal(a, expected) for a in following["Add"]):
            raise _error(path, "bias", "is another than in the file")


def _followers(graph: Graph, product: Any) -> dict[str, list[NDArray[Any]]]:
    """Return what is added to whole sums, and then multiplied by them, as rows."""
    constants: dict[str, list[NDArray[Any]]] = {"Add": [], "Mul": []}
    node = product
    while not constants["Mul"]:
        consumers = graph.consumers(node.output[0])
        if len(consumers) != 1 or consumers[0].op_type not in ("Add", "Cast", "Mul"):
            break
        node = consumers[0]
        stored = [name for name in node.input if graph.is_constant(name)]
        constants.get(node.op_type, []).extend(graph.array(name).reshape(-1) for name in stored)
    return constants


def _check_bias(
    graph: Graph, product: Any, artifact: Artifact, path: str, qparams: InputQParams
) -> None:
    coded = artifact.tensors[f"{path}.weight"]
    assert isinstance(coded, Codes)
    scale = coded.centered_codes()[1]
    bias = artifact.tensors[f"{path}.bias"].tensor()
    expected = whole_bias(bias, scale, qparams.scale).numpy().astype(np.int32)
    name = f"{path}.bias.q"
    if not expected.any() and not graph.is_constant(name):
        return  # an addition of zeros is left out
    if not graph.is_constant(name) or not np.array_equal(graph.array(name), expected):
        raise _error(path, "bias", "is another than in the file")


def _written_qparams(graph: Graph, name: str, path: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the scale and the zero point with which the tensor `name` is decoded."""
    node = graph.producer(name)
    while node is not None and node.op_type in ("Reshape", "Flatten", "Transpose"):
        node = graph.producer(node.input[0])
    if node is not None and node.op_type in ("DequantizeLinear", "QuantizeLinear"):
        return graph.array(node.input[1]), graph.array(node.input[2])
    centered = graph.producer(node.input[0]) if node is not None else None
    middle = graph.producer(centered.input[-1]) if centered is not None else None
    if node is None or middle is None or (node.op_type, middle.op_type) != ("Mul", "Cast"):
        raise _error(path, "inputs", "are not rounded in the package")
    return graph.array(node.input[1]), graph.array(middle.input[0])


def _same(written: OnnxQParams, scale: NDArray[Any], zero: NDArray[Any]) -> bool:
    return bool(
        scale == written.scale
        and zero == written.zero_point
        and zero.dtype == written.zero_point.dtype
    )


def _error(path: str, part: str, problem: str) -> ArtifactError:
    return ArtifactError(
        f"The {part} of {path} {problem}: do not use this package. Export it again.",
        code="deploy.other_numbers",
    )
