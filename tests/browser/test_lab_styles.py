"""The styles of JupyterLab do not reach the page and the cards of results: no texts overlap."""

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


@pytest.fixture(params=["light", "dark"])
def dashboard(page, lab, request):
    lab.run(page, "import workbench as wb\\nwb.dashboard()", theme=request.param)
    page.locator(".wb[data-ready] .stage .plot .main-svg").first.wait_for()
    return page


def test_no_texts_overlap_on_the_page(dashboard):
    for width in (1000, 1280, 1600):
        dashboard.set_viewport_size({"width": width, "height": 900})
        dashboard.wait_for_timeout(500)
        overlaps = dashboard.evaluate(OVERLAPS, ".wb")
        assert overlaps["count"] > 60
        assert overlaps["found"] == [], width


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_results_are_cards_without_overlaps(page, lab, theme):
    lab.run(page, RESULTS, theme=theme)
    page.wait_for_function(f"() => document.querySelectorAll('{CARDS}').length === 5")
    for width in (1000, 1600):
        page.set_viewport_size({"width": width, "height": 900})
        overlaps = page.evaluate(OVERLAPS, CARDS)
        assert overlaps["count"] > 30
        assert overlaps["found"] == [], width
