"""The JavaScript of the page passes the linter, the type checker and its unit tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from workbench._setup import node

ROOT = Path(__file__).parents[2]
TOOLS = {
    "biome": ["@biomejs/biome/bin/biome", "check", "--error-on-warnings"],
    "tsc": ["typescript/bin/tsc", "--project", "jsconfig.json"],
}


@pytest.fixture(scope="module")
def run_node():
    """Return a function that runs Node and checks its exit status."""
    path = node.find()
    if path is None:
        pytest.skip("no Node")

    def run(*arguments):
        command = [path, *map(str, arguments)]
        process = subprocess.run(
            command, check=False, cwd=ROOT, capture_output=True, text=True, encoding="utf-8"
        )
        assert process.returncode == 0, f"\n{process.stdout}{process.stderr}"

    return run


@pytest.mark.slow
@pytest.mark.check
@pytest.mark.javascript
@pytest.mark.parametrize("name", TOOLS)
def test_javascript_passes(run_node, name):
    if not node.installed():
        pytest.skip("the tools of package.json are not installed")
    script, *arguments = TOOLS[name]
    run_node(node.MODULES / script, *arguments)


@pytest.mark.slow
@pytest.mark.javascript
def test_units(run_node):
    run_node("--test", *sorted((ROOT / "tests" / "js").glob("*.test.js")))


@pytest.mark.check
def test_editors_check_every_file():
    for path in (ROOT / "workbench" / "panels" / "js").glob("*.js"):
        assert path.read_text(encoding="utf-8").startswith("// @ts-check\n"), path
