"""Find a Chromium for the browser tests, or install one."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

VARIABLE = "WORKBENCH_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC_APPS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
WINDOWS_ROOTS = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
WINDOWS_PROGRAMS = ("Google/Chrome/Application/chrome.exe", "Chromium/Application/chrome.exe")
EXECUTABLE_PATH = (
    "from playwright.sync_api import sync_playwright\n"
    "with sync_playwright() as p: print(p.chromium.executable_path)"
)
ANSWER_LIMIT = 60.0  # seconds; a first start from a cold disk is slow
DOWNLOAD_LIMIT = 900.0  # seconds

Run = Callable[[Sequence[str], float], str | None]
"""Runs a command with a time limit in seconds; returns its output, or None if it failed."""


def run(command: Sequence[str], limit: float) -> str | None:
    """Run `command` and return its standard output, or None if it failed or exceeded `limit`."""
    settings = {
        "DEBIAN_FRONTEND": "noninteractive",
        "PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": "9000",
    }
    try:
        process = subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=limit,
            env={**os.environ, **settings},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return process.stdout


def obtain(
    python: str, environment: Mapping[str, str] = os.environ, run: Run = run, system: str = ""
) -> str | None:
    """Return a working browser, or None; install one if necessary.

    Parameters
    ----------
    python
        The interpreter whose Playwright can download a browser.
    environment
        `CI` allows installing Debian's package; `WORKBENCH_CHROMIUM` names a browser.
    """
    path = find(python, environment, run, system)
    if path is None and environment.get("CI") and _is_debian():
        _install_debian_package(run)
        path = find(python, environment, run, system)
    if path is None:
        run([python, "-m", "playwright", "install", "chromium"], DOWNLOAD_LIMIT)
        path = find(python, environment, run, system)
    return path


def find(
    python: str, environment: Mapping[str, str] = os.environ, run: Run = run, system: str = ""
) -> str | None:
    """Return the first Chromium or Chrome that answers ``--version``, or None."""
    system = system or platform.system()
    places = _places(python, environment, run, system)
    return next((path for path in places if _works(path, run, system)), None)


def _places(python: str, environment: Mapping[str, str], run: Run, system: str) -> Iterator[str]:
    if environment.get(VARIABLE):
        yield environment[VARIABLE]
    yield from (path for name in NAMES if (path := shutil.which(name)))
    if system == "Darwin":
        yield from MAC_APPS
    if system == "Windows":
        roots = [environment[root] for root in WINDOWS_ROOTS if root in environment]
        yield from (str(Path(root, program)) for root in roots for program in WINDOWS_PROGRAMS)
    # an earlier download by Playwright
    yield (run([python, "-c", EXECUTABLE_PATH], ANSWER_LIMIT) or "").strip()


def _works(path: str, run: Run, system: str) -> bool:
    if system == "Windows":
        # ``--version`` would open a window, so check only that the file exists
        return Path(path).is_file()
    return bool(path) and run([path, "--version"], ANSWER_LIMIT) is not None


def _is_debian() -> bool:
    try:
        return platform.freedesktop_os_release().get("ID") == "debian"
    except OSError:
        return False


def _install_debian_package(run: Run) -> None:
    sudo = ["sudo", "-n"] if shutil.which("sudo") else []
    packages = ["chromium", "fonts-liberation"]
    run([*sudo, "apt-get", "update"], DOWNLOAD_LIMIT)
    run(
        [*sudo, "apt-get", "install", "--yes", "--no-install-recommends", *packages],
        DOWNLOAD_LIMIT,
    )
