"""Run a network in OpenVINO."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openvino

from workbench.deploy.sessions.processor import sums_bytes_exactly
from workbench.deploy.sessions.session import Array, Session

DEVICE = "CPU"
HINTS = {"float32": "f32", "bfloat16": "bf16", "int8_inputs": "f32"}
GROUP_SIZES = {"int8_inputs": 32}
"""Values of an input that share a scale, where inputs are rounded at run time."""
PRODUCTS = ("Convolution", "FullyConnected", "GroupConvolution", "MatMul")


class OpenVinoSession:
    """A compiled network on the CPU, in the requested precision and no lower one."""

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        properties = {
            "INFERENCE_PRECISION_HINT": HINTS[settings["precision"]],
            "INFERENCE_NUM_THREADS": settings["threads"],
            "NUM_STREAMS": 1,
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": GROUP_SIZES.get(settings["precision"], 0),
        }
        self._compiled = openvino.Core().compile_model(str(path), DEVICE, properties)
        self._request = self._compiled.create_infer_request()

    def run(self, inputs: Sequence[Array]) -> Array:
        """Return the outputs for a batch."""
        outputs: Array = self._request.infer(dict(enumerate(inputs)))[0].copy()
        return outputs

    def facts(self) -> Mapping[str, Any]:
        """Return the device, the version, and the layers and products by precision."""
        layers: Counter[str] = Counter()
        products: Counter[str] = Counter()
        for node in self._compiled.get_runtime_model().get_ops():
            info = node.get_rt_info()
            if "runtimePrecision" in info and "layerType" in info:
                precision = str(info["runtimePrecision"].value)
                layers[precision] += 1
                if info["layerType"].value in PRODUCTS:
                    products[_multiplied(str(info["primitiveType"].value))] += 1
        hint = self._compiled.get_property("INFERENCE_PRECISION_HINT")
        return {
            "provider": ", ".join(self._compiled.get_property("EXECUTION_DEVICES")),
            "version": openvino.__version__.partition("-")[0],
            "precision": hint.get_type_name(),
            "exact_sums": sums_bytes_exactly(),
            "layers": dict(layers),
            "products": dict(products),
        }


def _multiplied(primitive: str) -> str:
    """Return the precision of the inputs that a primitive multiplies, which ends its name.

    The precision of a node is another: of a product in float32 with weights that are stored as
    codes, it is that of the codes.
    """
    return primitive.rpartition("_")[2].lower()


def start(path: Path, settings: Mapping[str, Any]) -> Session:
    """Load the network of `path`."""
    return OpenVinoSession(path, settings)
