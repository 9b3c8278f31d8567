"""Run a network in ExecuTorch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from executorch.extension.pybindings import portable_lib
from executorch.runtime import Runtime

from workbench.deploy.sessions.session import Array, Session

BACKEND = "XnnpackBackend"


class ExecutorchSession:
    """A program whose layers run in XNNPACK, and the others in portable kernels."""

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        torch.set_num_threads(settings["threads"])
        portable_lib._unsafe_reset_threadpool(settings["threads"])  # noqa: SLF001 - the only way
        content = path.read_bytes()
        self._provider = BACKEND if BACKEND.encode() in content else "portable kernels"
        self._program = Runtime.get().load_program(content)  # its method does not keep it alive
        method = self._program.load_method("forward")
        if method is None:
            raise ValueError("the program has no method forward")
        self._method = method

    def run(self, inputs: Sequence[Array]) -> Array:
        """Return the outputs for a batch."""
        outputs: Array = self._method.execute((torch.from_numpy(inputs[0]),))[0].numpy().copy()
        return outputs

    def facts(self) -> Mapping[str, Any]:
        """Return the backend and the version."""
        return {"provider": self._provider, "version": version("executorch")}


def start(path: Path, settings: Mapping[str, Any]) -> Session:
    """Load the program of `path`."""
    return ExecutorchSession(path, settings)
