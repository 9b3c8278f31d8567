"""The JavaScript of the page passes the linter, the type checker and its unit tests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from workbench._setup import node

ROOT = Path(__file__).parents[2]
CHECKED = ("workbench/panels/js/*.js", "tests/js/fake_dom.js", "tests/browser/*.js")
"""The files that `jsconfig.json` includes; stand-ins in the other tests have no full types."""


@pytest.fixture(scope="module")
def run_script():
    """Return a function that runs a script of `package.json` and checks its exit status."""
    npm = shutil.which("npm")
    if node.find() is None or npm is None:
        pytest.skip("no Node with npm")

    def run(name):
        process = subprocess.run(
            [npm, "run", "--silent", "--no-update-notifier", name],
            check=False,
            cwd=ROOT,
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        assert process.returncode == 0, f"\n{process.stdout}{process.stderr}"

    return run


@pytest.mark.slow
@pytest.mark.check
@pytest.mark.javascript
@pytest.mark.parametrize("name", ["lint", "check"])
def test_javascript_passes(run_script, name):
    if not node.installed():
        pytest.skip("the tools of package.json are not installed")
    run_script(name)


@pytest.mark.slow
@pytest.mark.javascript
def test_units(run_script):
    run_script("test")


@pytest.mark.check
def test_editors_check_every_file():
    for pattern in CHECKED:
        paths = [*ROOT.glob(pattern)]
        assert paths, pattern
        for path in paths:
            assert path.read_text(encoding="utf-8").startswith("// @ts-check\n"), path
