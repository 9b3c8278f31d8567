"""The Makefile works with GNU make 3.81, and reports what is missing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
NEWER_THAN_3_81 = {
    ".ONESHELL": r"^\.ONESHELL",
    ".RECIPEPREFIX": r"^\.RECIPEPREFIX",
    "!=": r"^[\w-]+ *!=",
    "::=": r"^[\w-]+ *::?:=",
    "$(file)": r"\$\(file ",
    "$(guile)": r"\$\(guile ",
    "$(let)": r"\$\(let ",
    "$(intcmp)": r"\$\(intcmp ",
    "undefine": r"^undefine ",
    "private": r"^private ",
    "load": r"^-?load ",
    "&: (grouped targets)": r"^[^\t#].*&:",
}
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.mark.check
@pytest.mark.parametrize("feature", NEWER_THAN_3_81)
def test_the_makefile_uses_no_newer_feature(feature):
    assert not re.search(NEWER_THAN_3_81[feature], MAKEFILE, re.MULTILINE)


@needs_make
def test_help_lists_every_target():
    targets = re.search(r"^\.PHONY: help (.*)", MAKEFILE, re.MULTILINE)[1].split()
    output = subprocess.run(["make"], check=True, cwd=ROOT, capture_output=True, text=True).stdout
    assert re.findall(r"^make ([\w-]+)", output, re.MULTILINE) == targets


@needs_make
@pytest.mark.parametrize("verb", ["dashboard", "lab"])
def test_the_port_is_passed_to_the_command(verb):
    command = ["make", "--dry-run", verb, "PORT=9123"]
    output = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True).stdout
    assert f"workbench {verb} --port 9123" in output


def without_ensurepip(folder):
    """Return a Python that cannot make environments, such as Debian's without python3-venv."""
    (folder / "ensurepip.py").write_text("raise ImportError", encoding="utf-8")
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={folder} exec {sys.executable} "$@"\n', "utf-8")
    python.chmod(0o755)
    return str(python)


@needs_make
@pytest.mark.parametrize("python", [lambda _folder: "no-such-python", without_ensurepip])
def test_a_missing_python_is_one_sentence(tmp_path, python):
    environment = {**os.environ, "PYTHON": python(tmp_path)}
    process = subprocess.run(
        ["make", "--silent", "dashboard"],
        check=False,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert process.returncode != 0
    assert process.stderr.startswith("Workbench needs Python 3.11 or newer with ensurepip")
    assert len(process.stderr.splitlines()) == 2  # the second one is that of make
