"""The linters, the types and the import rules, each with its own words when it fails."""

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


@pytest.mark.check
@pytest.mark.parametrize("name", TOOLS)
def test_source_satisfies(name):
    program, *arguments = TOOLS[name]
    beside_python = shutil.which(program, path=str(Path(sys.executable).parent))
    done = subprocess.run(
        [beside_python or program, *arguments],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, f"\n{done.stdout}{done.stderr}"
