"""Figures that move in JupyterLab while a cell runs."""

from __future__ import annotations

import json

import pytest

from workbench.plots.palette import DARK

pytestmark = pytest.mark.browser

MIME = "application/vnd.plotly.v1+json"
# A cell waits until the page has drawn its first figure, which takes long on a busy machine. Then
# its figures come more slowly than `Live` shows them.
WAIT = """import time
from pathlib import Path

def wait_for(drawn):
    while not Path(drawn).exists():
        time.sleep(0.05)

PAUSE = 0.3
"""
RACE = f"""{WAIT}
import workbench as wb
from workbench.experiments import race

def slowly(states):
    for number, state in enumerate(states):
        yield state
        if number == 0:
            wait_for("drawn-race")
        time.sleep(PAUSE)

trials = {{name: wb.Train(start="scratch", steps=40, optimizer=name) for name in ("sgd", "adam")}}
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
RENDERED = ".jp-RenderedPlotly"
INK = "() => document.querySelector('.wb.live .plot').layout.font.color"
DRAWN = ".wb.live .plot .main-svg"
# Whether a figure that remains has a background.
REMAINS = """(color) => [...document.querySelectorAll(".jp-RenderedPlotly, .jp-RenderedPlotly *")]
  .some((node) => node.layout?.paper_bgcolor === color)"""
STATIC = ".jp-RenderedPlotly .main-svg, .jp-RenderedPlotly img.plot-img"


def test_a_figure_grows_while_the_cell_runs_and_is_saved(page, lab):
    path = lab.run(page, RACE, theme="dark")
    page.locator(DRAWN).first.wait_for()
    path.with_name("drawn-race").touch()
    counts = []
    while page.locator(".wb.live").count():
        counts.append(page.evaluate(POINTS))
        page.wait_for_timeout(100)
    page.locator(STATIC).first.wait_for()
    page.wait_for_function(REMAINS, arg=DARK.panel, timeout=15_000)
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
    page.locator(DRAWN).first.wait_for()
    dark = page.evaluate(INK)
    assert page.evaluate(POINTS) == 2
    lab.run_cell(page, 1)
    page.wait_for_function(f"() => ({POINTS})() === 7")
    lab.set_theme(page, "light")
    page.wait_for_function(f"(dark) => ({INK})() !== dark", arg=dark)


def test_plotly_is_sent_once(new_page, lab):
    page, sizes = new_page, []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda data: sizes.append(len(data))))
    cell = f"""{WAIT}
{DRAW}
from functools import partial
for number in range(3):
    with wb.Live() as live:
        for n in range(1, 9):
            live.update(partial(draw, n=n))
            if n == 1:
                wait_for(f"drawn-{{number}}")
            time.sleep(PAUSE)
"""
    path = lab.run(page, cell)
    for number in range(3):
        page.locator(DRAWN).first.wait_for()
        path.with_name(f"drawn-{number}").touch()
        page.wait_for_function(f"() => document.querySelectorAll('{RENDERED}').length > {number}")
    assert sum(size > 1_000_000 for size in sizes) == 1
    assert sum(sizes) < 3_000_000
    assert len(json.dumps(lab.saved(page, path))) < 500_000
