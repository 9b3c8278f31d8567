"""Describe this machine, and check whether Workbench can be installed on it."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass

OLDEST_PYTHON = (3, 11)
OLDEST_GLIBC = (2, 28)
OLDEST_MACOS = (14, 0)
ARCHITECTURES = {
    "Linux": ("x86_64", "aarch64"),
    "Darwin": ("arm64",),
    "Windows": ("AMD64",),
}
NVIDIA_SIGNS = ("/proc/driver/nvidia/version", "/usr/lib/wsl/lib/nvidia-smi")


class SetupError(Exception):
    """Set-up cannot continue; the message is one sentence that says what is missing."""


@dataclass(frozen=True)
class Machine:
    """What determines the possible installation; `libc` and `macos` are empty on other systems."""

    system: str
    architecture: str
    python: tuple[int, int]
    implementation: str = "cpython"
    bits: int = 64
    libc: tuple[int, ...] = ()
    macos: tuple[int, ...] = ()
    has_venv: bool = True
    has_nvidia: bool = False


def this_machine() -> Machine:
    """Describe the machine and the Python that run this."""
    libc, libc_version = platform.libc_ver()
    return Machine(
        system=platform.system(),
        architecture=platform.machine(),
        python=sys.version_info[:2],
        implementation=sys.implementation.name,
        bits=64 if sys.maxsize > 2**32 else 32,
        libc=_numbers(libc_version) if libc == "glibc" else (),
        macos=_numbers(platform.mac_ver()[0]),
        has_venv=all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")),
        has_nvidia=bool(shutil.which("nvidia-smi")) or any(map(os.path.exists, NVIDIA_SIGNS)),
    )


def check(machine: Machine) -> None:
    """Raise `SetupError` if PyTorch has no build for `machine` or Python lacks a module."""
    for problem in _problems(machine):
        raise SetupError(problem)


def _problems(machine: Machine) -> Iterator[str]:
    python = ".".join(map(str, machine.python))
    if machine.python < OLDEST_PYTHON:
        yield (
            f"Workbench needs Python 3.11 or newer and found {python}: install a newer one, "
            "or name it with PYTHON=."
        )
    if machine.implementation != "cpython":
        yield f"Workbench needs CPython, because PyTorch has no build for {machine.implementation}."
    if machine.bits != 64:
        yield "Workbench needs a 64-bit Python, because PyTorch has no 32-bit build."
    if (machine.system, machine.architecture) == ("Darwin", "x86_64"):
        yield (
            "PyTorch no longer has builds for Intel Macs (on an Apple silicon Mac, install a "
            "native arm64 Python): use Linux or Windows, or open Workbench from a served page."
        )
    if machine.architecture not in ARCHITECTURES.get(machine.system, ()):
        yield f"PyTorch has no build for {machine.system} on {machine.architecture}."
    if machine.system == "Linux" and machine.libc < OLDEST_GLIBC:
        yield "PyTorch's Linux builds need glibc 2.28 or newer, which this system lacks."
    if machine.system == "Darwin" and machine.macos < OLDEST_MACOS:
        yield "PyTorch's builds need macOS 14 or newer: update macOS first."
    if not machine.has_venv:
        yield (
            f"Python {python} lacks its venv module: install it (on Debian and Ubuntu: "
            f"sudo apt install python{python}-venv)."
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
