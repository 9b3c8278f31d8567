"""The header: one line or two, and only controls that act on the open page."""

from __future__ import annotations

from itertools import pairwise

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

# The number of lines that the parts of the header form, and the parts that are cut.
LINES = """() => {
  const parts = [...document.querySelectorAll(".top > :not(.name)")];
  const boxes = parts.map((x) => x.getBoundingClientRect());
  const middles = boxes.map(({ y, height }) => Math.round((y + height / 2) / 8));
  const cut = parts.filter((x) => x.scrollWidth > x.clientWidth);
  return { lines: new Set(middles).size, cut: cut.map((x) => x.className) };
}"""


@pytest.fixture(scope="module")
def opened(visit):
    bench = visit("?m=fashion/lenet5")
    bench.settle()
    return bench


def go(page, name):
    page.get_by_role("navigation").get_by_role("button", name=name, exact=True).click()


@pytest.mark.parametrize(
    ("width", "lines"), [(1280, 1), (900, 1), (760, 2), (620, 2), (390, 2), (360, 2)]
)
def test_the_lines_of_the_header(opened, width, lines):
    opened.page.set_viewport_size({"width": width, "height": 800})
    assert opened.page.evaluate(LINES) == {"lines": lines, "cut": []}


def test_a_page_has_only_controls_that_act_on_it(opened):
    page = opened.page
    page.set_viewport_size({"width": 1280, "height": 800})
    # the page Plan, once opened, has a select of that name too
    model = page.get_by_role("banner").get_by_label("model", exact=True)
    undo = page.get_by_role("button", name="undo")
    for name, has_model, has_undo in (
        ("Compress", True, True),
        ("Deploy", True, True),
        ("Parallel", True, False),
        ("Plan", False, False),
    ):
        go(page, name)
        expect(model).to_be_visible(visible=has_model)
        expect(undo).to_be_visible(visible=has_undo)
    go(page, "Compress")
    expect(model).to_be_visible()


def test_the_answer_of_the_plan_stays_visible_on_a_phone(opened):
    page = opened.page
    page.set_viewport_size({"width": 390, "height": 844})
    go(page, "Plan")
    slider = page.get_by_role("slider", name="context")
    strip = page.locator(".plan .summary")
    expect(strip).to_contain_text("of 79.2 GiB")
    before = strip.inner_text()
    slider.scroll_into_view_if_needed()
    page.mouse.wheel(0, 400)
    slider.press("End")
    expect(strip).not_to_have_text(before)
    expect(strip).to_be_in_viewport(ratio=1)
    for text in strip.locator("span").all():
        assert text.evaluate("(node) => node.scrollWidth <= node.clientWidth")


def test_sizes_on_a_narrow_axis_do_not_overlap(opened):
    page = opened.page
    page.set_viewport_size({"width": 390, "height": 844})
    go(page, "Compress")
    page.wait_for_function("() => document.querySelector('.stage .plot').clientWidth < 390")
    labels = page.locator(".stage .xaxislayer-above text")
    expect(labels.filter(has_text="30\u202f")).to_have_count(0)
    boxes = sorted((box["x"], box["width"]) for x in labels.all() if (box := x.bounding_box()))
    for (left, width), (right, _width) in pairwise(boxes):
        assert left + width + 4 < right


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_says_what_the_model_recognizes(opened, width):
    page = opened.page
    page.set_viewport_size({"width": width, "height": 844})
    go(page, "Compress")
    about = page.locator(".above .about")
    expect(about).to_be_in_viewport(ratio=1)
    expect(about).to_contain_text("LeNet-5, convolutional · Clothes (Fashion-MNIST)")
    expect(about).to_contain_text("which of 10 classes an image is, such as T-shirt/top")
    assert about.evaluate("(node) => node.scrollWidth <= node.clientWidth")
