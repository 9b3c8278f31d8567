"""The Deploy page: nothing runs by itself, a package is saved, and a run can be stopped."""

from __future__ import annotations

import sys
from contextlib import suppress

import psutil
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import command
from workbench.fork_server import AVAILABLE

pytestmark = pytest.mark.browser
ADDRESS = "?m=vowels/cnn&page=deploy"
LONG = 120_000  # ms


def processes(server):
    """Return the processes that export or run a package, but not those that make copies."""
    children = psutil.Process(server.process.pid).children(recursive=True)
    ours = {
        child.pid: child for child in children if "workbench.deploy" in " ".join(command(child))
    }
    return [child for child in ours.values() if not AVAILABLE or parent_id(child) in ours]


def parent_id(process):
    """Return the number of the parent of a process; None if it has ended."""
    with suppress(psutil.NoSuchProcess):
        return process.ppid()


def test_a_file_is_confirmed_saved_and_the_rest_is_stopped(watched, server):
    page = watched
    page.goto(server.url + ADDRESS)
    start = page.get_by_role("button", name="Export, confirm and time")
    start.wait_for()
    expect(page.locator(".deploy-headline")).to_contain_text("Nothing runs")
    assert processes(server) == []
    line = page.locator(".deploy-command pre").first
    assert f"{sys.executable} -m pip install" in line.inner_text()
    copy = page.locator(".deploy-command button").first
    copy.click()
    expect(copy).to_have_text("copied")
    start.focus()
    page.keyboard.press("Enter")
    expect(start).to_be_disabled()
    expect(start).to_be_focused()  # users of the keyboard stay where they are
    confirmed = page.locator('.deploy-table tbody[data-tone="confirmed"]').first
    expect(confirmed).to_contain_text("All 185 predictions", timeout=LONG)
    assert processes(server)
    with page.expect_download() as saved:
        confirmed.get_by_role("button").click()
    assert saved.value.suggested_filename.startswith("vowels-cnn-")
    page.get_by_role("button", name="Stop").press("Enter")
    expect(page.locator(".deploy-headline")).to_contain_text("Stopped", timeout=LONG)
    expect(start).to_be_enabled()
    expect(start).to_be_focused()
    server.until(lambda: not processes(server), "the end of the processes")
