"""The source passes the linters, the type checker and the import rules."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = {
    "ruff": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": [sys.executable, "-m", "mypy"],
    "import-linter": ["lint-imports"],
}


@pytest.mark.slow
@pytest.mark.check
@pytest.mark.parametrize("name", TOOLS)
def test_source_passes(name):
    program, *arguments = TOOLS[name]
    installed = shutil.which(program, path=str(Path(sys.executable).parent))
    process = subprocess.run(
        [installed or program, *arguments],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert process.returncode == 0, f"\n{process.stdout}{process.stderr}"


UNKNOWN_NAMES = ("[attr-defined]", "[call-arg]", 'module named "workbench', 'module named "tests')


@pytest.mark.slow
@pytest.mark.check
def test_benchmarks_use_names_that_exist():
    """The benchmarks run by hand only, so a renaming could break them unnoticed."""
    process = subprocess.run(
        [sys.executable, "-m", "mypy", "benchmarks"],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert process.returncode in (0, 1), process.stderr
    unknown = [
        line
        for line in process.stdout.splitlines()
        if any(text in line for text in UNKNOWN_NAMES)
        and "int4" not in line  # PyTorch's types lack it
    ]
    assert not unknown, "\n".join(unknown)
