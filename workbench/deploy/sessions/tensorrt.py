"""Run a network in TensorRT, through ONNX Runtime's provider."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ["NVIDIA_TF32_OVERRIDE"] = "0"  # float32, not the 10-bit mantissa of TF32

import onnxruntime

from workbench.deploy.sessions.session import Array, Session

PROVIDER = "TensorrtExecutionProvider"


class TensorrtSession:
    """A session on an NVIDIA GPU; `facts` tells which provider really runs."""

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = settings["threads"]
        options.log_severity_level = 3
        choices = {"trt_fp16_enable": False, "trt_int8_enable": False}
        providers = [(PROVIDER, choices), "CPUExecutionProvider"]
        self._session = onnxruntime.InferenceSession(str(path), options, providers=providers)
        self._inputs = [entry.name for entry in self._session.get_inputs()]

    def run(self, inputs: Sequence[Array]) -> Array:
        """Return the outputs for a batch."""
        outputs: Array = self._session.run(None, dict(zip(self._inputs, inputs, strict=True)))[0]
        return outputs

    def facts(self) -> Mapping[str, Any]:
        """Return the first provider of the session, which falls back without an error."""
        return {
            "provider": self._session.get_providers()[0],
            "version": onnxruntime.__version__,
        }


def start(path: Path, settings: Mapping[str, Any]) -> Session:
    """Load the network of `path`."""
    return TensorrtSession(path, settings)
