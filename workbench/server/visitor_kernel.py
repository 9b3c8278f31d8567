"""The process of one visitor: ipykernel without its debugger, which no visitor can use.

Importing debugpy takes 7 MB and a third of a second of each kernel.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.modules["debugpy"] = None  # type: ignore[assignment]  # ipykernel then goes without it

from ipykernel.kernelapp import launch_new_instance  # noqa: E402 - see above

OWN_NAME = Path("/proc/self/comm")


def become_kernel() -> None:
    """Turn this copy of a process into the kernel that standard input describes.

    Standard output stays open as long as it runs, and gets nothing; what it prints goes to standard
    error.
    """
    request = json.load(sys.stdin)
    os.setsid()  # it gets its own signals
    os.dup(1)
    os.dup2(2, 1)
    OWN_NAME.write_text(request["name"], encoding="utf-8")
    os.chdir(request["folder"])
    sys.argv = [sys.argv[0], *request["flags"], f"--IPKernelApp.parent_handle={os.getppid()}"]
    launch_new_instance()


if __name__ == "__main__":
    launch_new_instance()
