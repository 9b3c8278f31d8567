"""The page passes axe-core, in both themes, on every tab and with all sections open."""

from __future__ import annotations

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
COLORS = ["color-contrast", "link-in-text-block"]
TAB = [f".page:not([hidden]) {part}" for part in (".tab-bar", ".tab-body")]
SETTINGS = [".page:not([hidden]) .settings", ".page:not([hidden]) .levels"]
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


def violations(page, within=None, recolored=None, *, only_colors=False):
    """Return what axe-core finds: the rule, how often, and the first element.

    Parameters
    ----------
    within
        The selector of the part to look at, by default all of the page.
    recolored
        The parts whose contrast to look at, if axe-core has looked at the others already: this
        takes most of its time.
    only_colors
        Whether to look at colors only, if axe-core has looked at everything in another theme.
    """
    colors = OPTIONS | {"runOnly": {"type": "rule", "values": COLORS}}
    others = OPTIONS | {"rules": {rule: {"enabled": False} for rule in COLORS}}
    parts = within if recolored is None else {"include": [[part] for part in recolored]}
    if recolored is None and not only_colors:
        found = run_axe(page, within, OPTIONS)
    else:
        found = run_axe(page, parts, colors)
        found += [] if only_colors else run_axe(page, within, others)
    return [(x["id"], len(x["nodes"]), x["nodes"][0]["html"][:160]) for x in found]


def run_axe(page, within, options):
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    run = "async ([within, options]) => (await axe.run(within ?? document, options)).violations"
    return page.evaluate(run, [within, options])


def open_sections(page):
    """Open all sections, the inner ones too."""
    page.evaluate("for (const x of document.querySelectorAll('.settings details')) x.open = true")


def places(page):
    """Open every page, level and tab of the app, and yield its name and what has changed.

    The changed parts are None for all of the page. The first page is open already.
    """
    for number, link in enumerate(page.locator(".pages button").all()):
        link.click()
        name = link.inner_text()
        shown = page.locator("main > .page:visible")
        changed = SETTINGS if number == 0 else None
        for level in shown.locator(".levels label").all():
            level.click()
            open_sections(page)
            yield f"{name}, {level.inner_text()}", changed
            changed = SETTINGS
        changed = TAB if changed else None
        for tab in shown.get_by_role("tab").all():
            tab.click()
            shown.locator(".tab-body[data-seq]").wait_for()
            yield f"{name}, {tab.inner_text()}", changed
            changed = TAB


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(show, shown, theme):
    show(f"{RECIPE}&theme={theme}").settle()
    known = theme == "dark"  # the elements are those of the light theme
    found = {"first view": violations(shown, only_colors=known)}
    for place, parts in places(shown):
        found[place] = violations(shown, recolored=parts, only_colors=known)
    assert len(found) > 10
    assert {place: what for place, what in found.items() if what} == {}


def test_texts_have_at_least_13_px(show, shown):
    show(RECIPE).settle()
    small = {place: shown.evaluate(SMALL_TEXTS) for place, _parts in places(shown)}
    assert {place: texts for place, texts in small.items() if texts} == {}


def test_explanations_are_no_tab_stops_but_describe_their_control(show, shown):
    bench = show()
    assert shown.locator(".wb .term-label[tabindex]").count() == 0
    help_text = shown.locator(f"#{bench.sparsity.get_attribute('aria-describedby')}")
    expect(help_text).not_to_be_visible()
    bench.sparsity.focus()
    shown.keyboard.press("Shift+Tab")
    shown.keyboard.press("Tab")
    expect(bench.sparsity).to_be_focused()
    expect(help_text).to_be_visible()
    shown.keyboard.press("ArrowRight")
    expect(help_text).not_to_be_visible()
    bench.readout.hover()
    shown.locator(".settings .term-label").get_by_text("sparsity", exact=True).hover()
    expect(help_text).to_be_visible()


def test_the_chart_offers_its_results_as_a_table(open_bench, watched):
    bench = open_bench(RECIPE)  # a new kernel has no other results
    bench.settle()
    details = watched.locator(".stage .plot").get_attribute("aria-details")
    rows = watched.locator(f"#{details} tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("original")
    expect(rows.nth(1)).to_contain_text(bench.number("bytes").inner_text())


def test_a_drag_and_undo_are_announced_with_the_recipe(show, shown):
    bench = show("?m=fashion/lenet-300-100")
    announcement = shown.locator(".card .announcement")
    bench.sparsity.fill("0.5")
    bench.settle()
    expect(announcement).to_contain_text("sparsity 50")
    expect(announcement).to_contain_text(bench.number("bytes").inner_text())
    shown.get_by_role("button", name="undo").click()
    expect(announcement).to_contain_text("not compressed")


def test_nothing_turns_for_people_who_prefer_less_motion(show, shown):
    shown.emulate_media(reduced_motion="reduce")
    show("?m=fashion/lenet-300-100")
    shown.evaluate("document.querySelector('.wb').classList.add('busy')")
    turning = "document.getAnimations().filter((x) => x.playState === 'running').length"
    assert shown.evaluate(turning) == 0
    shown.emulate_media(reduced_motion="no-preference")
    assert shown.evaluate(turning) > 0


def test_the_keyboard_opens_the_explanations_of_the_figures(show, shown):
    show(RECIPE).settle()
    shown.locator(".card .explain").press("Enter")
    explanations = shown.locator(".card .explanations")
    expect(explanations).to_be_visible()
    expect(explanations).to_contain_text("F1 score averaged over the classes")
    shown.keyboard.press("Escape")
    expect(explanations).not_to_be_visible()
