"""No two texts of the picture overlap, at any width and while a slider moves."""

from __future__ import annotations

import pytest

from tests.browser.conftest import SIZE

pytestmark = pytest.mark.browser

WIDTHS = [390, 900, 1280, 1920]
OVERLAPS = """() => {
  const boxes = [...document.querySelectorAll(".stage .plane svg text")]
    .filter((node) => node.textContent.trim() && node.checkVisibility({ visibilityProperty: true }))
    .map((node) => [node.textContent, node.getBoundingClientRect()]);
  return boxes.flatMap(([text, one], number) =>
    boxes.slice(number + 1)
      .filter(([, other]) =>
        Math.min(one.right, other.right) > Math.max(one.left, other.left)
        && Math.min(one.bottom, other.bottom) > Math.max(one.top, other.top))
      .map(([other]) => `${text} / ${other}`));
}"""
# Labels that the picture has and does not draw.
MISSING = """() => {
  const plot = document.querySelector(".stage .plot");
  const wanted = plot.data.filter(({ mode }) => mode.includes("text")).flatMap(({ text }) => text);
  const drawn = [...plot.querySelectorAll(".textpoint text")].map((node) => node.textContent);
  return wanted.filter((text) => text.trim() && !drawn.includes(text.replace("<br>", "")));
}"""
DRAWN = """(width) => {
  const plot = document.querySelector(".stage .plot");
  const drawn = plot.querySelector(".main-svg").getAttribute("width");
  return innerWidth === width && Math.abs(drawn - plot.clientWidth) < 1;
}"""
RECORD = f"""() => {{
  window.overlaps = new Set();
  const find = {OVERLAPS};
  const record = () => {{
    for (const pair of find()) window.overlaps.add(pair);
    requestAnimationFrame(record);
  }};
  record();
}}"""


def overlaps(page):
    found = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_function(DRAWN, arg=width)
        found[width] = page.evaluate(OVERLAPS) + page.evaluate(MISSING)
    return found


@pytest.mark.parametrize(
    "path",
    [
        "fashion/lenet5&budget=100000&floor=0.85",
        "fashion/lenet-300-100&budget=100000&floor=0.85",
        "fashion/cnn-10k.resnet.t4.labels1&origin=fashion/lenet5&prune.sparsity=0.5",
        "reviews/transformer",
        "vowels/cnn",
    ],
)
def test_no_texts_overlap(show, shown, path):
    show(f"?m={path}").settle()
    assert overlaps(shown) == {width: [] for width in WIDTHS}
    shown.get_by_role("button", name="half pruned").click()
    assert shown.locator(".stage .live .you text").count() == 1
    assert overlaps(shown) == {width: [] for width in WIDTHS}


def test_no_texts_overlap_while_a_slider_moves(show, shown):
    bench = show("?m=fashion/lenet5&quantize.bits=8")
    bench.settle()
    shown.evaluate(RECORD)
    bench.drag(bench.sparsity, 0, 0.95, steps=100)
    bench.settle()
    assert shown.evaluate("[...window.overlaps]") == []


def test_the_label_of_the_original_has_room_next_to_the_current_point(show, shown):
    show("?m=fashion/lenet5").settle()
    assert shown.locator(".stage .textpoint text").filter(has_text="original").count() == 1


def test_the_explanation_of_a_point_is_above_the_current_point(show, shown):
    show("?m=fashion/lenet5&prune.sparsity=0.55&quantize.bits=8").settle()
    shown.wait_for_function(DRAWN, arg=SIZE["width"])
    point = shown.locator(".stage .plot .scatterlayer path.point").first.bounding_box()
    shown.mouse.move(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    shown.locator(".stage .hovertext").first.wait_for()
    order = "(node) => Number(getComputedStyle(node).zIndex) || 0"
    plot, live = (shown.locator(f".plane > {layer}") for layer in (".plot", ".live"))
    assert plot.evaluate(order) > live.evaluate(order)
    shown.mouse.move(0, 0)
