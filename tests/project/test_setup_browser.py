"""Which browser is found or installed, on simulated machines."""

from __future__ import annotations

import shutil
import sys

import pytest

from workbench._setup import browser

PLAYWRIGHTS = "/cache/playwright/chrome"


class Machine:
    """A machine with programs that answer ``--version``, and two installers."""

    def __init__(self, *programs, debian_has=None, playwright_has=None):
        self.programs = set(programs)
        self.adds = {"apt-get": debian_has, "playwright": playwright_has}
        self.installers = []

    def which(self, name):
        return next((path for path in self.programs if path.endswith(f"/{name}")), None)

    def __call__(self, command, limit):
        if command[-1] == "--version":
            return "Chromium 1.0" if command[0] in self.programs else None
        if "install" in command:
            installer = "apt-get" if "apt-get" in command else "playwright"
            self.installers.append(installer)
            self.programs |= {self.adds[installer]} - {None}
            return "" if self.adds[installer] else None
        return PLAYWRIGHTS if command[-1] == browser.EXECUTABLE_PATH else ""


@pytest.fixture
def on(monkeypatch):
    """Return a function that runs `obtain` and lists the installers that it called."""

    def obtain(machine, environment, *, debian=False, system="Linux"):
        monkeypatch.setattr(shutil, "which", machine.which)
        monkeypatch.setattr(browser, "_is_debian", lambda: debian)
        return browser.obtain("python", environment, machine, system), machine.installers

    return obtain


def test_a_named_browser_comes_first(on):
    machine = Machine("/custom/chrome", "/usr/bin/chromium")
    assert on(machine, {"WORKBENCH_CHROMIUM": "/custom/chrome"}) == ("/custom/chrome", [])


def test_a_browser_that_does_not_answer_is_skipped(on):
    machine = Machine("/usr/bin/google-chrome")
    named = {"WORKBENCH_CHROMIUM": "/broken/chrome"}
    assert on(machine, named) == ("/usr/bin/google-chrome", [])


def test_the_debian_package_is_installed_only_on_debian_in_ci(on):
    def bare():
        return Machine(debian_has="/usr/bin/chromium", playwright_has=PLAYWRIGHTS)

    assert on(bare(), {"CI": "true"}, debian=True) == ("/usr/bin/chromium", ["apt-get"])
    assert on(bare(), {}, debian=True) == (PLAYWRIGHTS, ["playwright"])
    assert on(bare(), {"CI": "true"}) == (PLAYWRIGHTS, ["playwright"])


def test_playwright_is_tried_after_the_debian_package(on):
    machine = Machine(playwright_has=PLAYWRIGHTS)
    assert on(machine, {"CI": "1"}, debian=True) == (PLAYWRIGHTS, ["apt-get", "playwright"])


def test_no_browser(on):
    assert on(Machine(), {}) == (None, ["playwright"])


def test_an_earlier_download_is_found(on):
    assert on(Machine(PLAYWRIGHTS), {}) == (PLAYWRIGHTS, [])


def test_on_windows_the_file_must_exist(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    chrome = tmp_path / "Google" / "Chrome" / "Application" / "chrome.exe"
    places = {"PROGRAMFILES": str(tmp_path)}
    assert browser.find("python", places, Machine(), "Windows") is None
    chrome.parent.mkdir(parents=True)
    chrome.touch()
    assert browser.find("python", places, Machine(), "Windows") == str(chrome)


def test_run_returns_the_output():
    assert browser.run([sys.executable, "-c", "print(1)"], 60) == "1\n"


@pytest.mark.slow
@pytest.mark.parametrize("code", ["raise SystemExit(1)", "import time; time.sleep(99)"])
def test_run_returns_none_on_failure_or_timeout(code):
    assert browser.run([sys.executable, "-c", code], 2) is None


def test_run_returns_none_for_a_missing_program():
    assert browser.run(["no-such-program"], 2) is None
