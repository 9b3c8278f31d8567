"""The kind of machine that a training ran on. Equal kinds train equal bytes."""

from __future__ import annotations

import platform
from pathlib import Path

import torch

CPU_INFO = Path("/proc/cpuinfo")


def machine_kind(threads: int) -> dict[str, str | int]:
    """Return what the low-order bits of a training depend on, in addition to its recipe.

    Matrix products differ between processors, between their instruction sets, between versions of
    PyTorch and between numbers of threads.
    """
    return {
        "processor": processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "system": f"{platform.system()} {platform.machine()}",
        "torch": torch.__version__,
        "threads": threads,
    }


def processor() -> str:
    """Return the model name of the processor, as far as the system reports it."""
    lines = CPU_INFO.read_text(encoding="utf-8").splitlines() if CPU_INFO.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
