"""The page passes axe-core, in both themes, on every tab and with all sections open."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
RECIPE = "?m=fashion/lenet-300-100&prune.sparsity=0.5&quantize.bits=4"

SMALL_TEXTS = """() => {
  const walker = document.createTreeWalker(document.querySelector(".wb"), NodeFilter.SHOW_TEXT);
  const small = new Set();
  while (walker.nextNode()) {
    const { parentElement: parent, textContent: text } = walker.currentNode;
    if (!text.trim() || !parent.checkVisibility()) continue;
    const size = parseFloat(getComputedStyle(parent).fontSize);
    if (size < 13) small.add(`${size} px: ${text.trim().slice(0, 40)}`);
  }
  return [...small];
}"""


def violations(page):
    """Return what axe-core finds: the rule, how often, and the first element."""
    found = Axe().run(page, options=OPTIONS).response["violations"]
    return [(x["id"], len(x["nodes"]), x["nodes"][0]["html"][:160]) for x in found]


def open_sections(page):
    """Open all sections, the inner ones too."""
    page.evaluate("for (const x of document.querySelectorAll('.settings details')) x.open = true")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(open_bench, watched, theme):
    bench = open_bench(f"{RECIPE}&theme={theme}")
    bench.settle()
    open_sections(watched)
    found = {"no tab": violations(watched)}
    for tab in watched.get_by_role("tab").all():
        tab.click()
        watched.locator(".tab-body[data-seq]").wait_for()
        found[tab.inner_text()] = violations(watched)
    assert {where: what for where, what in found.items() if what} == {}


def test_texts_have_at_least_13_px(open_bench, watched):
    bench = open_bench(RECIPE)
    bench.settle()
    open_sections(watched)
    small = {*watched.evaluate(SMALL_TEXTS)}
    for tab in watched.get_by_role("tab").all():
        tab.click()
        watched.locator(".tab-body[data-seq]").wait_for()
        small |= {*watched.evaluate(SMALL_TEXTS)}
    assert small == set()


def test_explanations_are_no_tab_stops_but_describe_their_control(open_bench, watched):
    bench = open_bench()
    assert watched.locator(".wb .term-label[tabindex]").count() == 0
    help_text = watched.locator(f"#{bench.sparsity.get_attribute('aria-describedby')}")
    expect(help_text).not_to_be_visible()
    bench.sparsity.focus()
    watched.keyboard.press("Shift+Tab")
    watched.keyboard.press("Tab")
    expect(bench.sparsity).to_be_focused()
    expect(help_text).to_be_visible()
    watched.keyboard.press("ArrowRight")
    expect(help_text).not_to_be_visible()
    bench.readout.hover()
    watched.get_by_role("group", name="Pruning").locator(".term-label").hover()
    expect(help_text).to_be_visible()
