"""The wheel holds exactly the files that are needed to run."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_wheel_holds_the_package_and_the_notebooks(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run([*build, "--directory", str(tmp_path)], check=True, cwd=ROOT)
    (wheel,) = tmp_path.glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("workbench/")}
    package = {path.relative_to(ROOT).as_posix() for path in files("workbench")}
    notebooks = {f"workbench/{path.relative_to(ROOT).as_posix()}" for path in files("notebooks")}
    set_up = {name for name in package if name.startswith("workbench/_setup/")}
    types = {name for name in package if name.endswith(".d.ts")}
    assert "workbench/notebooks/dashboard.ipynb" in packed
    assert packed == (package - set_up - types) | notebooks


def files(folder):
    paths = (path for path in (ROOT / folder).rglob("*") if path.is_file())
    ignored = {"__pycache__", ".ipynb_checkpoints"}
    return [path for path in paths if not ignored & set(path.parts)]
