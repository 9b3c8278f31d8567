"""The comparison tab in a browser: examples, matrices, attributions and downloads."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

HARSH = "?m=fashion/lenet-300-100&prune.sparsity=0.85&quantize.bits=3"
DRAWN = """(kinds) => {
  const plot = document.querySelector(".tab-body .plot");
  return plot?.data?.map((trace) => trace.type).join() === kinds;
}"""
EXAMPLES = ",".join(["heatmap"] * 16)
CAPTIONS = "document.querySelectorAll('.tab-body .plot .annotation-text').length"

WATCH = """() => {
  const body = document.querySelector(".tab-body");
  window.states = [];
  const buttons = () => body.querySelectorAll(".view-bar button").length;
  const record = () => window.states.push([body.classList.contains("faded"), buttons()]);
  new MutationObserver(record).observe(body, { attributes: true, childList: true, subtree: true });
}"""


@pytest.fixture(scope="module")
def opened(visit):
    """The tab for the recipe of the link `HARSH`, and its title."""
    bench = visit(HARSH)
    bench.settle()
    bench.page.get_by_role("tab", name="what changed").click()
    bench.page.locator(".tab-body .plot .annotation-text").first.wait_for()
    return bench, bench.page.locator(".tab-body h2").inner_text()


@pytest.fixture
def changed(opened):
    """That tab, whatever the previous test did on the page."""
    bench, title = opened
    page = bench.page
    page.set_viewport_size({"width": 1280, "height": 720})
    bench.sparsity.fill("0.85")
    bench.settle()
    tab = page.get_by_role("tab", name="what changed")
    if tab.get_attribute("aria-selected") != "true":  # a click on the open tab closes it
        tab.click()
    view(page, "images", EXAMPLES)
    expect(page.locator(".tab-body h2")).to_have_text(title)
    expect(page.locator(".tab-body.faded")).to_have_count(0)
    return page


def view(page, name, kinds):
    page.get_by_role("group", name="view").get_by_role("button", name=name, exact=True).click()
    page.wait_for_function(DRAWN, arg=kinds)


def test_every_view_is_drawn_with_its_title(changed):
    title = changed.locator(".tab-body h2")
    expect(title).to_have_text(re.compile(r"^[\d,]+ images went wrong, most often "))
    view(changed, "classes", "scatter,scatter,scatter")
    expect(title).to_contain_text("lost most")
    view(changed, "confusion matrix", "heatmap,heatmap,heatmap")
    expect(title).to_contain_text("Largest increase")
    view(changed, "weights", "bar,bar")
    changed.get_by_role("combobox", name="layer", exact=True).last.select_option("fc2.weight")
    expect(title).to_contain_text("fc2.weight")
    changed.get_by_role("tab", name="bytes").click()
    changed.get_by_role("button", name="areas").click()
    changed.wait_for_function(DRAWN, arg="treemap")


def test_a_click_on_an_image_shows_its_attribution(changed):
    plot = changed.locator(".tab-body .plot")
    box = plot.bounding_box()
    changed.mouse.move(box["x"] + 60, box["y"] + 50)
    changed.mouse.click(box["x"] + 62, box["y"] + 52)
    title = changed.locator(".tab-body h2")
    expect(title).to_have_text(re.compile(r"^Predicted .* before \(.*\), .* after"))
    before = changed.locator(".view-bar .unit").inner_text()
    following = changed.get_by_role("button", name="next changed")
    following.focus()
    changed.keyboard.press("Enter")
    expect(changed.locator(".view-bar .unit")).not_to_have_text(before)
    expect(following).to_be_focused()


def test_chart_and_data_can_be_saved(changed):
    with changed.expect_download() as download:
        changed.locator(".tab-body").get_by_role("button", name="save as PNG").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    with changed.expect_download() as download:
        changed.locator(".tab-body").get_by_role("button", name="save data as CSV").click()
    rows = list(csv.DictReader(Path(download.value.path()).read_text("utf-8").splitlines()))
    title = changed.locator(".tab-body h2").inner_text()
    lost = [row for row in rows if row["before"] == row["label"] != row["after"]]
    assert title.startswith(f"{len(lost):,} images went wrong")


def test_the_tab_is_updated_when_the_results_are_exact(changed):
    title = changed.locator(".tab-body h2")
    before = title.inner_text()
    changed.evaluate(WATCH)
    changed.get_by_role("slider", name="sparsity").fill("0.5")
    expect(title).not_to_have_text(before)
    expect(changed.locator(".tab-body.faded")).to_have_count(0)
    states = changed.evaluate("window.states")
    assert True in [faded for faded, _buttons in states]  # the content stayed during the update
    assert {buttons for _faded, buttons in states} == {10}


def test_a_narrow_page_shows_fewer_images_without_horizontal_scrolling(changed):
    wide = changed.evaluate(CAPTIONS)
    for width, height in ((1280, 800), (900, 1000), (390, 844)):
        changed.set_viewport_size({"width": width, "height": height})
        changed.wait_for_function(
            "() => document.querySelector('.tab-body .plot .main-svg').clientWidth"
            " === document.querySelector('.tab-body .plot').clientWidth"
        )
        assert changed.evaluate("document.documentElement.scrollWidth") <= width
    changed.wait_for_function(f"{CAPTIONS} < {wide}")
