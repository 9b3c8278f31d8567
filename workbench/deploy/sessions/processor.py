"""What the processor of this machine multiplies, and how exactly."""

from __future__ import annotations

import platform
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
X86 = ("x86_64", "amd64", "i386", "i686")
VNNI = {"avx512_vnni", "avx_vnni"}
BFLOAT16 = {"avx512f", "avx_ne_convert", "bf16"}
"""Instructions with which runtimes multiply in bfloat16, on x86 and on ARM processors."""


def sums_bytes_exactly() -> bool:
    """Return whether products of unsigned and signed bytes are summed in 32 bits.

    x86 processors without VNNI instructions add two of them in 16 bits, where they may not fit.
    Where the system does not say what the processor has, it counts as one of these.
    """
    if platform.machine().lower() not in X86:
        return True
    return not VNNI.isdisjoint(_instructions() or ())


def may_multiply_bfloat16() -> bool:
    """Return whether it multiplies numbers in bfloat16; True if the system does not say."""
    instructions = _instructions()
    return instructions is None or not BFLOAT16.isdisjoint(instructions)


def _instructions() -> list[str] | None:
    """Return what the processor has, among other words; None if the system does not say."""
    try:
        return CPUINFO.read_text(encoding="utf-8").split()
    except OSError:
        return None
