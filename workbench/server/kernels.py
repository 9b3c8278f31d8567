"""The kernel specification of the server."""

from __future__ import annotations

import sys
import tempfile

import traitlets
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpec, KernelSpecManager

from workbench.fork_server import AVAILABLE
from workbench.panels.uploads.texts import VARIABLE
from workbench.server import forked_kernel
from workbench.server.kernel_server import ONE_HEAP

KERNEL = "workbench.server.visitor_kernel"
PROVISIONER = {"provisioner_name": forked_kernel.NAME if AVAILABLE else "local-provisioner"}


class ServerKernelSpecManager(KernelSpecManager):
    """Offer one kernel: the Python interpreter that runs the server.

    Without this, a kernel of the same name installed by another environment in the user's home
    directory would take precedence, and IPython startup files of the user would run for every
    visitor.
    """

    uploads = traitlets.Bool(False, help="whether visitors may upload files").tag(config=True)

    def find_kernel_specs(self) -> dict[str, str]:
        """Return the name of the kernel; it has no resource directory."""
        return {NATIVE_KERNEL_NAME: ""}

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return the specification of the kernel, whatever `kernel_name` a notebook requests."""
        flags = ["-f", "{connection_file}", "--HistoryManager.enabled=False", "--log-level=ERROR"]
        return KernelSpec(
            argv=[sys.executable, "-m", KERNEL, *flags],
            env={
                "IPYTHONDIR": _empty_profile(),
                VARIABLE: "on" if self.uploads else "off",
                **ONE_HEAP,
            },
            display_name="Python",
            language="python",
            metadata={"kernel_provisioner": PROVISIONER},
        )


_profile: tempfile.TemporaryDirectory[str] | None = None


def _empty_profile() -> str:
    global _profile
    if _profile is None:
        _profile = tempfile.TemporaryDirectory(prefix="workbench-", ignore_cleanup_errors=True)
    return _profile.name
