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


def violations(page, within=None):
    """Return what axe-core finds: the rule, how often, and the first element.

    `within` is the selector of the part to look at, by default all of the page.
    """
    found = Axe().run(page, context=within, options=OPTIONS).response["violations"]
    return [(x["id"], len(x["nodes"]), x["nodes"][0]["html"][:160]) for x in found]


def open_sections(page):
    """Open all sections, the inner ones too."""
    page.evaluate("for (const x of document.querySelectorAll('.settings details')) x.open = true")


def places(page):
    """Open every page, level and tab of the app, and yield its name."""
    for link in page.locator(".pages button").all():
        link.click()
        name = link.inner_text()
        shown = page.locator("main > .page:visible")
        for level in shown.locator(".levels label").all():
            level.click()
            open_sections(page)
            yield f"{name}, {level.inner_text()}"
        for tab in shown.get_by_role("tab").all():
            tab.click()
            shown.locator(".tab-body[data-seq]").wait_for()
            yield f"{name}, {tab.inner_text()}"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(open_bench, watched, theme):
    open_bench(f"{RECIPE}&theme={theme}").settle()
    found = {"first view": violations(watched)}
    found |= {place: violations(watched) for place in places(watched)}
    assert len(found) > 10
    assert {place: what for place, what in found.items() if what} == {}


def test_texts_have_at_least_13_px(open_bench, watched):
    open_bench(RECIPE).settle()
    small = {place: watched.evaluate(SMALL_TEXTS) for place in places(watched)}
    assert {place: texts for place, texts in small.items() if texts} == {}


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
    watched.locator(".settings .term-label").get_by_text("sparsity", exact=True).hover()
    expect(help_text).to_be_visible()


def test_the_chart_offers_its_results_as_a_table(open_bench, watched):
    bench = open_bench(RECIPE)
    bench.settle()
    details = watched.locator(".stage .plot").get_attribute("aria-details")
    rows = watched.locator(f"#{details} tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("original")
    expect(rows.nth(1)).to_contain_text(bench.number("bytes").inner_text())


def test_a_drag_and_undo_are_announced_with_the_recipe(open_bench, watched):
    bench = open_bench("?m=fashion/lenet-300-100")
    announcement = watched.locator(".card .announcement")
    bench.sparsity.fill("0.5")
    bench.settle()
    expect(announcement).to_contain_text("sparsity 50")
    expect(announcement).to_contain_text(bench.number("bytes").inner_text())
    watched.get_by_role("button", name="undo").click()
    expect(announcement).to_contain_text("not compressed")


def test_nothing_turns_for_people_who_prefer_less_motion(open_bench, watched):
    watched.emulate_media(reduced_motion="reduce")
    open_bench("?m=fashion/lenet-300-100")
    watched.evaluate("document.querySelector('.wb').classList.add('busy')")
    turning = "document.getAnimations().filter((x) => x.playState === 'running').length"
    assert watched.evaluate(turning) == 0
    watched.emulate_media(reduced_motion="no-preference")
    assert watched.evaluate(turning) > 0


def test_the_keyboard_opens_the_explanations_of_the_figures(open_bench, watched):
    open_bench(RECIPE).settle()
    watched.locator(".card .explain").press("Enter")
    shown = watched.locator(".card .explanations")
    expect(shown).to_be_visible()
    expect(shown).to_contain_text("F1 score averaged over the classes")
    watched.keyboard.press("Escape")
    expect(shown).not_to_be_visible()
