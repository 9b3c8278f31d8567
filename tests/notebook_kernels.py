"""Kernels of notebooks under test: copies of one process with PyTorch, as those of visitors."""

from __future__ import annotations

from functools import cache


@cache
def start_as_copies() -> None:
    """Let nbval start kernels as the server does, so that only the first one loads PyTorch.

    Notebooks prove what their cells do; how kernels start is tested with the server and JupyterLab.
    """
    from nbval.kernel import NbvalKernelspecManager

    from workbench.fork_server import AVAILABLE
    from workbench.server import forked_kernel
    from workbench.server.kernels import PROVISIONER, ServerKernelSpecManager

    if not AVAILABLE:
        return
    forked_kernel.register()
    kernels = ServerKernelSpecManager()

    def specification(_manager, name):
        chosen = kernels.get_kernel_spec(name)
        chosen.metadata = {"kernel_provisioner": {**PROVISIONER, "config": {"complete": True}}}
        return chosen

    NbvalKernelspecManager.get_kernel_spec = specification
