"""The process that kernels are copies of. It starts before the slow imports of the web server."""

from __future__ import annotations

import atexit
from collections.abc import Mapping

from workbench.fork_server import ForkServer

MODULES = ("workbench.server.visitor_kernel", "workbench.panels.ui", "workbench.panels.widget")
LATER = (
    "workbench.evaluation.measure",
    "workbench.evaluation.fast_path",
    "workbench.pipeline",
    "safetensors.torch",
    "torch._dynamo",  # which the first optimizer imports
)
"""What takes seconds: the first visitor's page comes before it."""
ONE_HEAP = {"MALLOC_ARENA_MAX": "1"}
"""Lets all threads of a kernel share the heap of glibc; the heap of a thread keeps freed memory."""

_servers: list[ForkServer] = []


def running(environment: Mapping[str, str], *, complete: bool) -> ForkServer:
    """Return the process that makes kernels; a new one if there is none or it has ended.

    Parameters
    ----------
    environment
        Environment variables of a new one; each kernel has its own.
    complete
        Whether PyTorch is loaded before the first kernel starts.
    """
    if not (_servers and _servers[-1].alive):
        first, later = ((*MODULES, *LATER), ()) if complete else (MODULES, LATER)
        _servers.append(ForkServer(first, {**environment, **ONE_HEAP}, later))
        atexit.register(_servers[-1].close)
    return _servers[-1]
