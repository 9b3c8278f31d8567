"""Importing the package is cheap, and works on every system."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "workbench").rglob("*.py"))
POSIX_MODULES = {
    "crypt",
    "fcntl",
    "grp",
    "posix",
    "pty",
    "pwd",
    "resource",
    "syslog",
    "termios",
    "tty",
}
POSIX_CALLS = {
    "os.chown",
    "os.fork",
    "os.getpgid",
    "os.getuid",
    "os.geteuid",
    "os.killpg",
    "os.mkfifo",
    "os.nice",
    "os.sched_getaffinity",
    "os.setsid",
    "os.sysconf",
    "os.uname",
    "os.wait4",
    "signal.SIGALRM",
    "signal.SIGKILL",
    "signal.alarm",
    "signal.setitimer",
}
# Used on Linux alone, where callers check for it.
ALLOWED = {
    ROOT / "workbench/fork_server.py": {"os.fork"},
    ROOT / "workbench/server/visitor_kernel.py": {"os.setsid"},
}


def test_importing_the_package_needs_only_the_standard_library():
    # -S hides installed packages, as for the Makefile's set-up with a bare Python
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import workbench, workbench._setup.__main__"
    )
    subprocess.run([sys.executable, "-I", "-S", "-c", code, str(ROOT)], check=True)


@pytest.mark.slow
def test_no_modules_import_each_other(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    count = importlib.import_module("code_size")
    modules = {count.module_of(path, ROOT): path.read_text(encoding="utf-8") for path in SOURCES}
    assert count.import_cycles(modules) == []


def test_importing_the_package_does_not_import_torch():
    code = "import sys, workbench; print({'torch', 'numpy', 'plotly'} & sys.modules.keys())"
    process = subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True, text=True
    )
    assert process.stdout.strip() == "set()"


@pytest.mark.slow
@pytest.mark.check
@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_here_is_posix_only(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not modules(tree) & POSIX_MODULES
    attributes = {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    assert attributes & POSIX_CALLS == ALLOWED.get(path, set())


def modules(tree):
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
    return names
