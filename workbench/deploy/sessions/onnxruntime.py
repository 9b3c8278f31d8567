"""Run a network in ONNX Runtime."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnxruntime

from workbench.deploy.sessions.processor import sums_bytes_exactly
from workbench.deploy.sessions.session import Array, Session

PROVIDER = "CPUExecutionProvider"
EXACT_SUMS = ("session.x64quantprecision", "1")
"""Makes weights unsigned: slower, but sums of two products then fit without VNNI instructions."""
OPTIMIZED = "optimized.onnx"


class OnnxRuntimeSession:
    """A session on the CPU; its optimized graph says which layers run in integers."""

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = settings["threads"]
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._exact = sums_bytes_exactly()
        if not self._exact:
            options.add_session_config_entry(*EXACT_SUMS)
        self._optimized = path.with_name(OPTIMIZED)
        options.optimized_model_filepath = str(self._optimized)
        self._session = onnxruntime.InferenceSession(str(path), options, providers=[PROVIDER])
        self._inputs = [entry.name for entry in self._session.get_inputs()]

    def run(self, inputs: Sequence[Array]) -> Array:
        """Return the outputs for a batch."""
        outputs: Array = self._session.run(None, dict(zip(self._inputs, inputs, strict=True)))[0]
        return outputs

    def facts(self) -> Mapping[str, Any]:
        """Return the provider, the version and the operators of the optimized graph."""
        import onnx

        graph = onnx.load(self._optimized, load_external_data=False).graph
        return {
            "provider": self._session.get_providers()[0],
            "version": onnxruntime.__version__,
            "vnni": self._exact,
            "operators": dict(Counter(node.op_type for node in graph.node)),
        }


def start(path: Path, settings: Mapping[str, Any]) -> Session:
    """Load the network of `path`."""
    return OnnxRuntimeSession(path, settings)
