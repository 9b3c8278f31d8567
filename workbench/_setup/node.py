"""Find Node, and install the development tools for the JavaScript of the page."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from workbench._setup.browser import ANSWER_LIMIT, DOWNLOAD_LIMIT, Run, run
from workbench._setup.environment import ROOT, say

OLDEST = 20
MODULES = ROOT / "node_modules"
MANIFEST = ROOT / "package.json"
OPTIONS = ("--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=0")
STAMP = MODULES / "workbench.json"
"""A copy of the manifest that is installed."""


def find(run: Run = run) -> str | None:
    """Return Node, or None if it is missing or too old."""
    path = shutil.which("node")
    version = re.match(r"v(\d+)", (run([path, "--version"], ANSWER_LIMIT) or "") if path else "")
    return path if version and int(version[1]) >= OLDEST else None


def ensure(run: Run = run) -> None:
    """Install the tools of `package.json` unless they are; without Node or a network, go on.

    The versions in `package.json` are exact, so a lock file is not needed.
    """
    npm = shutil.which("npm")
    if installed() or find(run) is None or npm is None:
        return
    say(f"Installing the tools for JavaScript into {MODULES.name}.")
    if run([npm, "install", "--prefix", str(ROOT), *OPTIONS], DOWNLOAD_LIMIT) is None:
        say("npm failed; continuing without the tools for JavaScript.")
    else:
        STAMP.write_text(MANIFEST.read_text(encoding="utf-8"), encoding="utf-8")


def installed() -> bool:
    """Whether the tools of the current `package.json` are installed."""
    return STAMP.is_file() and _tools(STAMP) == _tools(MANIFEST)


def _tools(manifest: Path) -> Any:
    """Return the packages of a manifest with their versions."""
    return json.loads(manifest.read_text("utf-8")).get("devDependencies")
