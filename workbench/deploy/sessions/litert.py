"""Run a network in LiteRT."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from workbench.deploy.sessions.session import Array, Session


class LitertSession:
    """An interpreter on the CPU, for batches of the one size that the file has."""

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self._interpreter = Interpreter(model_path=str(path), num_threads=settings["threads"])
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]["index"]

    def run(self, inputs: Sequence[Array]) -> Array:
        """Return the outputs for a batch; one that is too small is filled with zeros."""
        rows = len(inputs[0])
        full = np.zeros(self._input["shape"], self._input["dtype"])
        full[:rows] = inputs[0]
        self._interpreter.set_tensor(self._input["index"], full)
        self._interpreter.invoke()
        outputs: Array = self._interpreter.get_tensor(self._output)[:rows].copy()
        return outputs

    def facts(self) -> Mapping[str, Any]:
        """Return the device, the version and the operators; XNNPACK runs each DELEGATE."""
        operators = Counter(
            str(operator["op_name"])
            for operator in self._interpreter._get_ops_details()  # noqa: SLF001 - has no public name
        )
        return {
            "provider": "CPU",
            "version": version("ai-edge-litert"),
            "operators": dict(operators),
        }


def start(path: Path, settings: Mapping[str, Any]) -> Session:
    """Load the network of `path`."""
    return LitertSession(path, settings)
