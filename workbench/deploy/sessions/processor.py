"""What the processor of this machine multiplies exactly."""

from __future__ import annotations

import platform
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
X86 = ("x86_64", "amd64", "i386", "i686")
VNNI = {"avx512_vnni", "avx_vnni"}


def sums_bytes_exactly() -> bool:
    """Return whether products of unsigned and signed bytes are summed in 32 bits.

    x86 processors without VNNI instructions add two of them in 16 bits, where they may not fit.
    Where the system does not say what the processor has, it counts as one of these.
    """
    if platform.machine().lower() not in X86:
        return True
    try:
        words = CPUINFO.read_text(encoding="utf-8").split()
    except OSError:
        return False
    return not VNNI.isdisjoint(words)
