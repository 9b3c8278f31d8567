"""Which Python runs a visitor's page."""

from __future__ import annotations

import sys
import tempfile

import traitlets
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpec, KernelSpecManager

from workbench.panels.uploading import VARIABLE


class ServerKernelSpecManager(KernelSpecManager):
    """One kernel: the interpreter that runs the server.

    A kernel of the same name that some other environment left in the person's home would
    otherwise be taken first, and personal IPython start-up files would run for every visitor.
    """

    uploads = traitlets.Bool(False, help="whether visitors may upload files").tag(config=True)

    def find_kernel_specs(self) -> dict[str, str]:
        """Return the one kernel's name; it has no resource folder."""
        return {NATIVE_KERNEL_NAME: ""}

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return how to start the kernel, whatever `kernel_name` a notebook asks for."""
        flags = ["-f", "{connection_file}", "--HistoryManager.enabled=False", "--log-level=ERROR"]
        return KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", *flags],
            env={"IPYTHONDIR": _empty_profile(), VARIABLE: "on" if self.uploads else "off"},
            display_name="Python",
            language="python",
        )


_profile: tempfile.TemporaryDirectory[str] | None = None


def _empty_profile() -> str:
    global _profile
    if _profile is None:
        _profile = tempfile.TemporaryDirectory(prefix="workbench-", ignore_cleanup_errors=True)
    return _profile.name
