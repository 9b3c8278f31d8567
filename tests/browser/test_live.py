"""Figures that move in JupyterLab while a cell runs."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.browser

MIME = "application/vnd.plotly.v1+json"
# The states come slowly, so that the page has time to load plotly.js on a busy machine.
RACE = """import time
import workbench as wb
from workbench.experiments import race

def slowly(states):
    for state in states:
        time.sleep(0.5)
        yield state

trials = {name: wb.Train(start="scratch", steps=60, optimizer=name) for name in ("sgd", "adam")}
result = wb.watch(slowly(race(wb.model("fashion/mlp-32"), trials)))"""
DRAW = """import workbench as wb
from workbench.evaluation.training_progress import TrainingProgress
from workbench.plots import course
def draw(palette, n=2):
    steps = tuple((i, 1.0, 0.0) for i in range(n))
    return course.draw(TrainingProgress(wb.Train(9), steps=steps), palette, loss=True)"""
POINTS = """() => {
  const plot = document.querySelector(".wb.live .plot");
  return plot?.data ? Math.max(...plot.data.map((line) => line.x.length)) : 0;
}"""
INK = "() => document.querySelector('.wb.live .plot').layout.font.color"
STATIC = ".jp-RenderedPlotly .main-svg, .jp-RenderedPlotly img.plot-img"


def test_a_figure_grows_while_the_cell_runs_and_is_saved(page, lab):
    path = lab.run(page, RACE)
    page.locator(".wb.live .plot .main-svg").first.wait_for()
    counts = []
    while page.locator(".wb.live").count():
        counts.append(page.evaluate(POINTS))
        page.wait_for_timeout(100)
    page.locator(STATIC).first.wait_for()
    assert len(set(counts)) >= 4, counts
    (figure,) = (data for data in lab.saved(page, path) if MIME in data)
    assert not any("widget" in kind for kind in figure)
    assert max(len(line["x"]) for line in figure[MIME]["data"]) > max(counts) - 1
    assert figure["text/plain"]


def test_a_figure_follows_the_theme_and_later_cells(page, lab):
    lab.open(
        page,
        f"{DRAW}\nlive = wb.Live(draw)\nlive",
        "live.update(lambda palette: draw(palette, 7))",
        theme="dark",
    )
    lab.run_cell(page, 0)
    page.locator(".wb.live .plot .main-svg").first.wait_for()
    dark = page.evaluate(INK)
    assert page.evaluate(POINTS) == 2
    lab.run_cell(page, 1)
    page.wait_for_function(f"() => ({POINTS})() === 7")
    lab.set_theme(page, "light")
    page.wait_for_function(f"(dark) => ({INK})() !== dark", arg=dark)


def test_plotly_is_sent_once(page, lab):
    sizes = []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda data: sizes.append(len(data))))
    cell = f"""{DRAW}
import time
from functools import partial
for _number in range(3):
    with wb.Live() as live:
        for n in range(1, 9):
            live.update(partial(draw, n=n))
            time.sleep(0.5)
"""
    path = lab.run(page, cell)
    page.wait_for_function("() => document.querySelectorAll('.jp-RenderedPlotly').length === 3")
    assert sum(size > 1_000_000 for size in sizes) == 1
    assert sum(sizes) < 3_000_000
    assert len(json.dumps(lab.saved(page, path))) < 500_000
