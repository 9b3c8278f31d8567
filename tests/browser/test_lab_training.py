"""Training shows its course in JupyterLab while the cell runs."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
READY = """import workbench as wb
model = wb.model("fashion/lenet-300-100")
recipe = wb.Recipe(prune=wb.Prune(0.95), quantize=wb.Quantize(bits=4))
wb.measure(model, timed=False)
print("ready")"""
BUDGET = "wb.train(model, recipe, seconds=3, sparsening='cubic')"
TRAIN = "wb.train(model, recipe, steps=400, sparsening='cubic')"
TITLE = ".wb.live h2"
RECORD = """() => {
  window.titles = new Set();
  window.courses = [];
  const record = () => {
    const live = document.querySelector(".wb.live");
    if (!live) return;
    window.titles.add(live.querySelector("h2").textContent);
    const lines = live.querySelector(".plot")?.data ?? [];
    const course = lines.find((line) => line.name === "accuracy of the file")?.x ?? [];
    if (course.length > (window.courses.at(-1)?.length ?? 0)) window.courses.push([...course]);
  };
  const watch = { subtree: true, childList: true, characterData: true, attributes: true };
  new MutationObserver(record).observe(document.body, watch);
}"""
"""Records every title and every longer course, however slow the page is."""
SECONDS_TO_WAIT = 3


def test_training_moves_within_seconds_and_shows_the_course(page, lab):
    lab.open(page, READY, BUDGET, TRAIN)
    lab.run_cell(page, 0)
    page.get_by_text("ready", exact=True).wait_for()
    lab.run_cell(page, 1)
    measuring = re.compile("Measuring how many steps fit into 3 s|Step")
    expect(page.locator(TITLE)).to_have_text(measuring, timeout=1000 * SECONDS_TO_WAIT)
    expect(page.locator(TITLE)).to_have_count(0)
    page.evaluate(RECORD)
    lab.run_cell(page, 2)
    result = page.locator(".jp-RenderedPlotly").filter(has_text=re.compile("Fine-tuned: .* →"))
    expect(result).to_have_count(2)
    titles, courses = page.evaluate("[[...window.titles], window.courses]")
    assert len([title for title in titles if title.startswith("Step")]) >= 2
    assert courses[-1][0] == 0  # the compressed model before training
    assert len(courses) >= 2
