"""How the threads of one operation wait for each other."""

from __future__ import annotations

import os


def sleep_while_waiting() -> None:
    """Let OpenMP threads sleep at barriers instead of spinning, unless the person chose.

    Spinning pays only where every thread has a core to itself. On a laptop that does something
    else too, or a server with a class on it, it made measuring four to six times slower. Works
    for this process if PyTorch is not loaded yet, and for all that it starts.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
