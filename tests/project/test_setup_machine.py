"""Which machines set-up accepts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workbench._setup.machine import Machine, SetupError, check, this_machine

LINUX = Machine("Linux", "x86_64", (3, 12), libc=(2, 36))
MAC = Machine("Darwin", "arm64", (3, 12), macos=(14, 5))
WINDOWS = Machine("Windows", "AMD64", (3, 12))


@pytest.mark.parametrize(
    "machine", [LINUX, replace(LINUX, architecture="aarch64"), MAC, WINDOWS, this_machine()]
)
def test_supported_machines(machine):
    check(machine)


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        (replace(LINUX, python=(3, 10)), "Python 3.11 or newer and found 3.10"),
        (replace(LINUX, implementation="pypy"), "CPython"),
        (replace(WINDOWS, bits=32), "64-bit"),
        (replace(MAC, architecture="x86_64"), "Intel Mac"),
        (replace(WINDOWS, architecture="ARM64"), "Windows on ARM64"),
        (replace(LINUX, architecture="riscv64"), "Linux on riscv64"),
        (replace(LINUX, system="FreeBSD"), "FreeBSD"),
        (replace(LINUX, libc=(2, 17)), "glibc 2.28"),
        (replace(LINUX, libc=()), "glibc 2.28"),
        (replace(MAC, macos=(13, 6)), "macOS 14"),
        (replace(LINUX, has_venv=False), "sudo apt install python3.12-venv"),
    ],
)
def test_unsupported_machines(machine, words):
    with pytest.raises(SetupError, match=words) as error:
        check(machine)
    assert str(error.value).endswith(".")
    assert "\n" not in str(error.value)
