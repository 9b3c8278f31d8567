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
