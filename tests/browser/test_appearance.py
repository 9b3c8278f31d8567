"""Layout, themes and accessibility of the page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DEFAULT
from tests.browser.lab import OVERLAPS

pytestmark = pytest.mark.browser

NAMELESS = """() => [...document.querySelectorAll(".wb :is(input, select, button, progress)")]
  .filter((node) => !(node.getAttribute("aria-label") || node.labels?.length
    || node.textContent.trim()))
  .map((node) => node.outerHTML)"""

LUMINANCE = """(selector) => {
  const color = getComputedStyle(document.querySelector(selector)).backgroundColor;
  const [r, g, b] = color.match(/[\\d.]+/g).map(Number);
  return (r + g + b) / 3 / 255;
}"""


def test_no_horizontal_scrolling_at_any_width(show, shown):
    bench = show("?m=fashion/lenet-300-100&prune.sparsity=0.3&quantize.bits=4&level=everything")
    for summary in shown.locator(".settings summary").all():
        summary.click()
    for width, height in (
        (280, 653),
        (320, 844),
        (390, 844),
        (900, 1000),
        (1280, 800),
        (1920, 1080),
    ):
        shown.set_viewport_size({"width": width, "height": height})
        shown.wait_for_function(
            "() => document.querySelector('.stage .plot .main-svg').clientWidth"
            " === document.querySelector('.stage .plot').clientWidth"
        )
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
    bench.settle()


def test_no_width_covers_or_cuts_texts(show, shown):
    bench = show("?m=fashion/lenet-300-100&prune.sparsity=0.3&quantize.bits=4&level=explore")
    bench.settle()
    shown.evaluate(
        """() => {
          const bar = document.querySelector(".progress-bar");
          bar.querySelector("span").textContent = "Measuring on all examples, about 153 s left";
          bar.hidden = false;
        }"""
    )
    for width in (320, 390, 900, 1280):
        shown.set_viewport_size({"width": width, "height": 800})
        shown.wait_for_timeout(300)
        texts = shown.evaluate(OVERLAPS, ":is(.stage, .card)")
        assert (texts["found"], texts["wide"]) == ([], []), width
        assert shown.evaluate(OVERLAPS, ".settings")["wide"] == [], width
    for name in ("results", "cost"):
        shown.get_by_role("tab", name=name).click()
        for width in (390, 900):
            shown.set_viewport_size({"width": width, "height": 844})
            table = shown.locator(".tab-body .scroll").filter(visible=True)
            fits = table.evaluate("(node) => node.scrollWidth <= node.clientWidth")
            assert fits, (name, width)
    shown.set_viewport_size({"width": 1120, "height": 800})  # a cell of JupyterLab
    assert shown.locator(".top").bounding_box()["height"] < 60


def test_the_dark_theme_and_the_theme_button(show, shown):
    show(f"{DEFAULT}&theme=dark")
    for selector in (".wb", ".stage", ".card", ".settings", ".top"):
        assert shown.evaluate(LUMINANCE, selector) < 0.25, selector
    ink = "document.querySelector('.stage .plot').layout.font.color"
    dark = shown.evaluate(ink)
    shown.get_by_role("button", name="switch between light and dark").click()
    expect(shown.locator(".wb")).to_have_attribute("data-theme", "light")
    shown.wait_for_function(f"(dark) => {ink} !== dark", arg=dark)
    assert shown.evaluate(LUMINANCE, ".stage") > 0.9
    assert "theme=light" in shown.url


def test_every_control_has_a_name_and_the_keyboard_reaches_it(show, shown):
    show(f"{DEFAULT}&level=everything")
    for summary in shown.locator(".settings summary").all():
        summary.click()
    assert shown.evaluate(NAMELESS) == []
    reached = set()
    shown.locator(".wb .name").click()
    for _ in range(60):
        shown.keyboard.press("Tab")
        reached.add(shown.evaluate("document.activeElement.getAttribute('aria-label')"))
    assert {"model", "pruning: sparsity", "bits by layer: conv1.weight"} <= reached | named(shown)
    assert "pruning: sparsity" in reached


def named(page):
    labels = page.locator(".wb [aria-label]").all()
    return {label.get_attribute("aria-label") for label in labels}
