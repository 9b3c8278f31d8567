"""Limits and points of the picture, touched with a finger."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Bench, watching

pytestmark = pytest.mark.browser

# Where a preset and the limits are, and the size of the preset in bytes.
PLACES = """(preset) => {
  const plot = document.querySelector(".stage .plot");
  plot.scrollIntoView({ block: "center" });
  const { left, top } = plot.getBoundingClientRect();
  const { xaxis, yaxis } = plot._fullLayout;
  const presets = plot.data.find(({ name }) => name === "presets");
  const index = presets.customdata.findIndex(({ key }) => key === preset);
  const lines = [...document.querySelectorAll(".stage .limit-handle")].map((node) => {
    const box = node.getBoundingClientRect();
    return [node.dataset.limit, { x: box.x + box.width / 2, y: box.y + box.height / 2 }];
  });
  return {
    x: left + xaxis._offset + xaxis.d2p(presets.x[index]),
    y: top + yaxis._offset + yaxis.d2p(presets.y[index]),
    bytes: presets.x[index],
    ...Object.fromEntries(lines),
  };
}"""


@pytest.fixture
def phone(playwright, browser_type_launch_args):
    chromium = playwright.chromium.launch(**browser_type_launch_args)
    context = chromium.new_context(
        has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844}
    )
    with watching(context.new_page()) as page:
        yield page
    chromium.close()


class Finger:
    """A finger on a page."""

    def __init__(self, page):
        self.devtools = page.context.new_cdp_session(page)

    def send(self, kind, *places):
        points = [{"x": x, "y": y} for x, y in places]
        self.devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def move(self, *places):
        """Touch the first place, move to the others, and let go."""
        self.send("touchStart", places[0])
        for place in places[1:]:
            self.send("touchMove", place)
        self.send("touchEnd")


def test_a_finger_drags_limits_and_taps_a_point_on_one(phone, server):
    bench = Bench(phone, server.url + "?m=fashion/lenet5&budget=90000&floor=0.85")
    bench.settle()
    size = phone.evaluate(PLACES, "small")["bytes"]
    budget, floor = phone.get_by_label("maximum size"), phone.get_by_label("minimum accuracy")
    budget.fill(str(size / 1000))
    budget.press("Tab")
    expect(phone).to_have_url(re.compile(f"budget={size}"))
    bench.settle()
    finger, at = Finger(phone), phone.evaluate(PLACES, "small")
    assert abs(at["budget"]["x"] - at["x"]) < 2  # the point lies on the line
    finger.move((at["x"] + 2, at["y"]), (at["x"] + 8, at["y"] + 3))  # fingers move in a tap
    expect(phone).to_have_url(re.compile(r"prune\.sparsity=0\.5&quantize\.bits=4"))
    expect(budget).to_have_value(str(size / 1000))
    bench.settle()
    start = phone.evaluate(PLACES, "small")["budget"]
    finger.move(*((start["x"] + step, start["y"]) for step in (0, 6, 15, 30, 45)))
    expect(budget).not_to_have_value(str(size / 1000))
    assert float(budget.input_value()) > size / 1000
    bench.settle()
    start = phone.evaluate(PLACES, "small")["floor"]
    finger.move(*((start["x"] + 60, start["y"] + step) for step in (0, 6, 15, 25)))
    expect(floor).not_to_have_value("85")
    assert 50 < float(floor.input_value()) < 85
