"""Kernels that are copies of one process, which has loaded what they need.

A visitor's kernel then starts at once, and shares the memory of PyTorch with the others.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import EntryPoint
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import traitlets
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from workbench.fork_server import ForkServer
from workbench.forked_process import ForkedProcess
from workbench.server import kernel_server

NAME = "workbench-fork-provisioner"
FUNCTION = "workbench.server.visitor_kernel:become_kernel"
PROCESS_NAME = "kernel"
"""What `ps` and `top` show of a kernel, followed by the start of its id."""
ENDED = 0
"""What is returned for the status of a kernel that has ended: Jupyter asks no more than that."""


class ForkedKernel:
    """A kernel process, with those methods of `subprocess.Popen` that Jupyter calls."""

    stdin = stdout = stderr = None

    def __init__(
        self, server: ForkServer, request: Mapping[str, Any], environment: Mapping[str, str]
    ) -> None:
        self._process = ForkedProcess(server, FUNCTION, 2, environment)
        self.pid = self._process.pid
        with suppress(BrokenPipeError), self._process.stdin as file:
            json.dump(request, file)
        if not self.pid:
            self._process.stdout.close()
            raise ChildProcessError("the kernel has ended before it started")
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return None while the process runs; this never waits."""
        if self.returncode is None and self._process.ended:
            self._process.stdout.close()
            self.returncode = ENDED
            # The process that made it may load modules for seconds before it answers.
            Thread(target=self._process.wait, daemon=True).start()
        return self.returncode

    def wait(self) -> int | None:
        """Return what `poll` returns; Jupyter calls it once the process has ended."""
        return self.poll()

    def send_signal(self, number: int) -> None:
        """Send a signal to the process, if it runs."""
        if self.poll() is None:
            psutil.Process(self.pid).send_signal(number)

    def terminate(self) -> None:
        """Ask the process to end."""
        if self.poll() is None:
            psutil.Process(self.pid).terminate()

    def kill(self) -> None:
        """End the process at once."""
        if self.poll() is None:
            psutil.Process(self.pid).kill()


class ForkProvisioner(LocalProvisioner):
    """Starts kernels as copies of one process."""

    process: Any = None
    complete = traitlets.Bool(
        False, help="whether PyTorch is loaded before the first kernel starts"
    ).tag(config=True)

    async def launch_kernel(self, cmd: list[str], **options: Any) -> KernelConnectionInfo:
        """Start a kernel with the flags of a command, which starts with Python and a module.

        If no process can be copied, the command starts one.
        """
        environment, folder = options["env"], str(options.get("cwd") or Path.cwd())
        name = f"{PROCESS_NAME} {self.kernel_id[:8]}"
        request = {"name": name, "flags": cmd[3:], "folder": folder}
        server = kernel_server.running(environment, complete=self.complete)
        try:
            kernel = await asyncio.to_thread(ForkedKernel, server, request, environment)
        except ChildProcessError:
            return await super().launch_kernel(cmd, **options)
        self.process, self.pid, self.pgid = kernel, kernel.pid, kernel.pid
        self.cwd = Path(folder)
        return self.connection_info


def register() -> None:
    """Let kernel specifications name the provisioner."""
    group = KernelProvisionerFactory.GROUP_NAME
    entry = EntryPoint(NAME, f"{__name__}:{ForkProvisioner.__name__}", group)
    KernelProvisionerFactory.instance().provisioners[NAME] = entry
