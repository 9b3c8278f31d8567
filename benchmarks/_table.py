"""Markdown tables, and a description of the machine.

Import it before PyTorch: it sets passive thread waiting, as the console command does.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from workbench.threads import set_passive_waiting

set_passive_waiting()


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a markdown table with all columns but the first aligned right."""
    rule = ["---", *["---:"] * (len(columns) - 1)]
    lines = [columns, rule, *([str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine() -> str:
    """Return processor, cores, Python, PyTorch and date in one line."""
    import torch

    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    day = datetime.now(UTC).date().isoformat()
    return (
        f"{name}, {os.cpu_count()} cores, {platform.system()}; "
        f"Python {platform.python_version()}, PyTorch {torch.__version__}; {day}"
    )
