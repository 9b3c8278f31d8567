"""Compile the modules that tests import once, before all workers import them at the same time."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from workbench._setup.environment import ROOT, python

LATE = ("captum", "onnxscript.optimizer", "sklearn.linear_model", "torch._dynamo", "torch.export")
"""Large modules that tests import only while they run."""
COMMANDS = (
    ("-m", "pytest", "--collect-only", "-qq", "-p", "no:cacheprovider"),
    ("-c", f"import {', '.join(LATE)}"),
)


@contextmanager
def compiling(commands: Sequence[Sequence[str]] = COMMANDS) -> Iterator[None]:
    """Import the modules in other processes until they end; tests repeat what fails here."""
    environment = {name: x for name, x in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    processes = [
        subprocess.Popen(
            [python(), *command],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for command in commands
    ]
    try:
        yield
    finally:
        for process in processes:
            process.wait()
