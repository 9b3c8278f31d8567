"""Pages that work, have results or errors, or start again: legible, and nothing for axe."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.lab import OVERLAPS
from tests.browser.test_accessibility import SMALL_TEXTS, violations

pytestmark = pytest.mark.browser
MODEL = "?m=fashion/mlp-32&prune.sparsity=0.5"
LONG = 120_000  # ms
# Controls that reach over the right side of the window.
CUT = """() => [...document.querySelectorAll(".wb :is(button, input, select):not(.scroll *)")]
  .filter((node) => node.checkVisibility() && node.getBoundingClientRect().right > innerWidth)
  .map((node) => node.textContent || node.ariaLabel)"""


def problems(page):
    """Return what is wrong with the state that the page shows, in both themes and at all widths."""
    found = {"axe": violations(page), "small texts": page.evaluate(SMALL_TEXTS)}
    for width in (280, 320, 390, 900, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(300)
        texts = page.evaluate(OVERLAPS, ".wb")
        found[f"{width} px"] = texts["found"] + texts["wide"] + page.evaluate(CUT)
    theme = page.get_by_role("button", name="switch between light and dark")
    theme.click()
    page.wait_for_timeout(300)
    found["other theme"] = violations(page, only_colors=True)
    theme.click()
    return {name: what for name, what in found.items() if what}


def test_a_link_with_several_faults_shows_a_line_for_each(show_page, shown):
    page = show_page(f"{MODEL}&prune.sparsity=7&budget=much&bits=3&level=none")
    banner = page.get_by_role("alert").locator("span")
    lines = banner.inner_text().splitlines()
    assert [line.partition(" ")[0] for line in lines][-3:] == ["(1)", "(2)", "(3)"]
    assert "level=none" in lines[0]
    assert problems(page) == {}


def test_a_search_that_finds_only_something_near(show_page, shown):
    page = show_page(f"{MODEL}&page=choose")
    for name, typed in (("large", "0.1"), ("accurate", "99"), ("long", "1")):
        page.get_by_role("spinbutton", name=name).fill(typed)
    page.get_by_role("button", name="Find recipes").click()
    expect(page.locator(".activity")).to_contain_text("of the computing", timeout=LONG)
    assert problems(page) == {}
    page.get_by_role("spinbutton", name="large").fill("-1")
    page.get_by_role("button", name="Find recipes").click()
    expect(page.locator(".choosing .problem:visible")).to_have_count(1)
    assert problems(page) == {}


def test_a_training_that_has_ended(show_page, shown):
    page = show_page(f"{MODEL}&page=train")
    page.get_by_role("spinbutton", name="seconds").fill("1")
    page.locator(".training button.primary").click()
    expect(page.locator(".activity")).to_contain_text("The steps took", timeout=LONG)
    assert problems(page) == {}


@pytest.mark.parametrize(
    ("key", "start", "end"),
    [
        ("parallel", "Train in parallel", "cancel"),
        ("deploy", "Export, confirm and time", "Stop"),
    ],
)
def test_work_that_was_ended_at_once_starts_again(watched, server, key, start, end):
    page = watched
    page.goto(f"{server.url}{MODEL}&page={key}")  # a new kernel has made no processes
    run = page.get_by_role("button", name=start)
    stop = page.get_by_role("button", name=end, exact=True)
    for _attempt in range(2):
        run.click()
        stop.click()
        expect(stop).to_be_hidden()
    run.click()
    stop.wait_for()
    assert violations(page) == []
    expect(stop).to_be_hidden(timeout=LONG)
    expect(page.get_by_role("alert")).to_be_hidden()
    result = ".parallel-card dd" if key == "parallel" else 'tbody[data-tone="confirmed"]'
    expect(page.locator(result).first).to_be_visible()
    assert problems(page) == {}
