"""Skipped browser tests are reported, and fail in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DRIVEN = "import pytest\n@pytest.mark.browser\ndef test_page(): pass\ndef test_plain(): pass\n"


@pytest.mark.parametrize(
    ("workers", "ci", "status"),
    [([], "", 0), ([], "true", 1), (["-p", "xdist", "-n", "1"], "true", 1)],
)
def test_without_a_browser(tmp_path, workers, ci, status):
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_page.py").write_text(DRIVEN)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = browser: drives a page\n")
    environment = {
        "PATH": str(tmp_path),
        "CI": ci,
        "WORKBENCH_CHROMIUM": "",
        "PYTHONPATH": str(ROOT),
    }
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # plug-ins slow the start
    process = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *workers],
        check=False,
        cwd=tmp_path,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert process.returncode == status
    assert "1 passed, 1 skipped" in process.stdout
    assert "THE PAGE WAS NOT TESTED: 1 browser tests skipped" in process.stdout.splitlines()[-2]
