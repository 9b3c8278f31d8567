"""A low priority for processes that work in the background."""

from __future__ import annotations

import os

import psutil

NICE = 10


def lower_priority(process_id: int) -> None:
    """Let all other work of the machine come before that of a process."""
    process = psutil.Process(process_id)
    process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if os.name == "nt" else NICE)
