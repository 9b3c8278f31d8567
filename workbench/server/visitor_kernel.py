"""The process of one visitor: ipykernel without its debugger, which no visitor can use.

Importing debugpy takes 7 MB and a third of a second of each kernel.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

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
    main()


def main() -> None:
    """Run the kernel until it is asked to end."""
    signal.signal(signal.SIGTERM, _log_no_more)
    launch_new_instance()


def _log_no_more(_number: int, _frame: Any) -> None:
    """Log nothing about what the kernel was doing: the server ends, and asks it to end."""
    logging.disable()


if __name__ == "__main__":
    main()
