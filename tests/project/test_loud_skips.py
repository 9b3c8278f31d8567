"""Skipped tests of the page and its JavaScript are reported; only the former fail in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DRIVEN = "import pytest\n@pytest.mark.browser\ndef test_page(): pass\ndef test_plain(): pass\n"

UNITS = "import pytest\n@pytest.mark.javascript\ndef test_units(): pytest.skip('no Node')\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("workers", "ci", "status"),
    [([], "", 0), ([], "true", 1), (["-p", "xdist", "-n", "1"], "true", 1)],
)
def test_without_a_browser(tmp_path, workers, ci, status):
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_page.py").write_text(DRIVEN)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = browser: drives a page\n")
    process = run(tmp_path, ci, workers)
    assert process.returncode == status
    assert "1 passed, 1 skipped" in process.stdout
    assert "THE PAGE WAS NOT TESTED: 1 browser tests skipped" in process.stdout.splitlines()[-2]


@pytest.mark.slow
def test_without_node(tmp_path):
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_units.py").write_text(UNITS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = javascript: needs Node\n")
    process = run(tmp_path, ci="true")
    assert process.returncode == 0
    assert "THE JAVASCRIPT WAS NOT CHECKED: 1 tests skipped" in process.stdout.splitlines()[-2]


def run(tmp_path, ci, workers=()):
    environment = {
        "PATH": str(tmp_path),
        "CI": ci,
        "WORKBENCH_CHROMIUM": "",
        "PYTHONPATH": str(ROOT),
    }
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # plug-ins slow the start
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *workers],
        check=False,
        cwd=tmp_path,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
