"""The line that adds an extra of this package to the Python that runs."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The folder of the package: a checkout, which an installation refers to, or `site-packages`."""


def install_command(extra: str) -> str:
    """Return the line that installs an extra, such as ``onnx``, to be copied into a console."""
    is_checkout = (ROOT / "pyproject.toml").is_file()
    package = ["-e", f"{ROOT}[{extra}]"] if is_checkout else [f"workbench[{extra}]"]
    words = [sys.executable, "-m", "pip", "install", *package]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)
