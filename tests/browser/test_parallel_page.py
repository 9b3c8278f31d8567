"""The Parallel page: a live run, its three pictures, and no process that outlives its tab."""

from __future__ import annotations

import psutil
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import command
from workbench.fork_server import AVAILABLE

pytestmark = pytest.mark.browser
ADDRESS = "?m=fashion/mlp-32&page=parallel"
LONG = 60_000  # ms
TOPS = "(nodes) => nodes.map((node) => node.getBoundingClientRect().top)"


def ranks(server):
    """Return the rank processes of all kernels, and those that make ranks."""
    children = psutil.Process(server.process.pid).children(recursive=True)
    return [child for child in children if "workbench.parallel." in " ".join(command(child))]


def test_a_run_is_live_and_ends_with_its_tab(watched, server):
    page = watched
    page.goto(server.url + ADDRESS)
    start = page.get_by_role("button", name="Train in parallel")
    start.wait_for()
    expect(page.locator(".tab-body .empty")).to_contain_text("Nothing runs yet")
    assert ranks(server) == []
    page.get_by_role("combobox", name="parallel: synchronize").select_option("never")
    page.locator("summary", has_text="Training").click()
    steps = page.get_by_role("spinbutton", name="parallel: steps")
    for typed, answers in (("-7", 1), ("50", 0)):
        steps.fill(typed)
        steps.press("Tab")
        expect(page.locator(".page:visible .problem:visible")).to_have_count(answers)
    dialogs = []

    def stay(dialog):
        dialogs.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    start.click()
    page.get_by_role("button", name="cancel").wait_for()
    page.evaluate("location.reload()")  # would end the run: the browser asks, and stays
    page.wait_for_function("true")
    assert dialogs == ["beforeunload"]
    title = page.locator(".tab-body h2")
    expect(title).to_contain_text("different weights", timeout=LONG)
    notes = page.locator(".parallel-card li")
    expect(notes.first).to_contain_text("2 ranks", timeout=LONG)
    expect(title).to_contain_text("step 50")
    tops = page.locator(".parallel-card dd").evaluate_all(TOPS)
    assert tops == tops[:1] * len(tops)  # one row, although labels have one line or two
    for name, finding in (
        ("timeline", "compute"),
        ("bytes per rank", "exactly as the formula predicts"),
    ):
        page.get_by_role("tab", name=name).click()
        expect(title).to_contain_text(finding)
    assert len(ranks(server)) == 2 + AVAILABLE
    start.click()
    page.get_by_role("button", name="cancel").wait_for()
    page.remove_listener("dialog", stay)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("about:blank")
    server.until(lambda: not ranks(server), "the end of the ranks")
