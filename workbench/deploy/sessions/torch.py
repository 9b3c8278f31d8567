"""Run a network in PyTorch: what the other runtimes are compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from workbench.deploy.sessions.session import Array, Session


def _import_all() -> None:
    """Load a program, for which PyTorch imports a thousand modules, while the caller exports."""
    stream = BytesIO()
    torch.export.save(torch.export.export(torch.nn.Identity(), (torch.zeros(1),)), stream)
    torch.export.load(BytesIO(stream.getvalue()))


_import_all()


class TorchSession:
    """An exported program on the CPU, operator by operator."""

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        torch.set_num_threads(settings["threads"])
        self._module = torch.export.load(path).module()

    @torch.no_grad()
    def run(self, inputs: Sequence[Array]) -> Array:
        """Return the outputs for a batch."""
        outputs: Array = self._module(*map(torch.from_numpy, inputs)).numpy()
        return outputs

    def facts(self) -> Mapping[str, Any]:
        """Return the device, the version and the precision."""
        return {"provider": "CPU", "version": torch.__version__, "precision": "float32"}


def start(path: Path, settings: Mapping[str, Any]) -> Session:
    """Load the program of `path`."""
    return TorchSession(path, settings)
