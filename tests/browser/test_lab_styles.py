"""The page and cards of results in JupyterLab: no texts overlap, and the numbers are in view."""

from __future__ import annotations

import pytest

from tests.browser.lab import OVERLAPS

pytestmark = pytest.mark.browser

RESULTS = """import workbench as wb
model = wb.model("fashion/mlp-32")
recipe = wb.Recipe(wb.Prune(0.5, layers={"fc1.weight": 0.8}), wb.Quantize(4))
artifact = wb.compress(model, recipe)
display(
    wb.measure(model, recipe, timed=False),
    recipe,
    artifact,
    wb.compare(model, artifact),
    wb.sensitivity(model, wb.Quantize(), [8, 2]),
)"""
CARDS = ".jp-OutputArea-output.jp-RenderedHTML"
# The parts below a selector that are not completely in the view of the notebook.
OUT_OF_VIEW = """(selector) => {
  const view = document.querySelector(".jp-WindowedPanel-outer").getBoundingClientRect();
  return [...document.querySelectorAll(selector)].filter((node) => {
    const box = node.getBoundingClientRect();
    return box.top < view.top || box.bottom > view.bottom || box.height < 20;
  }).map((node) => node.className);
}"""
# Elements between the page and the notebook that scroll: bars inside the bar of the notebook.
SCROLLING = """() => {
  const found = [];
  const outer = document.querySelector(".jp-WindowedPanel-outer");
  for (let up = document.querySelector(".wb"); up !== outer; up = up.parentElement) {
    const scrolls = /auto|scroll/.test(getComputedStyle(up).overflowY);
    if (scrolls && up.scrollHeight > up.clientHeight) found.push(up.className);
  }
  return found;
}"""


@pytest.fixture(params=["light", "dark"])
def dashboard(page, lab, request):
    page.set_viewport_size({"width": 1400, "height": 900})
    lab.run(page, "import workbench as wb\nwb.dashboard()", theme=request.param)
    page.locator(".wb[data-ready] .stage .plot .main-svg").first.wait_for()
    return page


def test_the_page_fits_and_no_texts_overlap(dashboard):
    parts = ".stage .plot, .card .accuracy, .card .bytes, .card .times"
    assert dashboard.locator(parts).count() == 4
    assert dashboard.evaluate(OUT_OF_VIEW, parts) == []
    assert dashboard.evaluate(SCROLLING) == []
    for width in (1000, 1280, 1600):
        dashboard.set_viewport_size({"width": width, "height": 900})
        dashboard.wait_for_timeout(500)
        texts = dashboard.evaluate(OVERLAPS, ".wb")
        assert texts["count"] > 60
        assert (texts["found"], texts["wide"]) == ([], []), width
    dashboard.set_viewport_size({"width": 390, "height": 844})  # most of it is JupyterLab's
    dashboard.wait_for_function("document.querySelector('.wb').clientWidth < 400")
    dashboard.wait_for_timeout(500)
    assert dashboard.locator(".wb").bounding_box()["width"] >= 260
    wider = "(node) => node.scrollWidth > node.clientWidth"
    assert not dashboard.locator(".wb").evaluate(wider)
    texts = dashboard.evaluate(OVERLAPS, ".wb")
    assert (texts["found"], texts["wide"]) == ([], [])


def test_results_are_cards_without_overlaps(page, lab):
    lab.run(page, RESULTS)
    page.wait_for_function(f"() => document.querySelectorAll('{CARDS}').length === 5")
    for theme in ("light", "dark"):
        lab.set_theme(page, theme)
        page.locator(f'body[data-jp-theme-light="{str(theme == "light").lower()}"]').wait_for(
            state="attached"
        )
        for width in (1000, 1600):
            page.set_viewport_size({"width": width, "height": 900})
            texts = page.evaluate(OVERLAPS, CARDS)
            assert texts["count"] > 30
            assert (texts["found"], texts["wide"]) == ([], []), width
