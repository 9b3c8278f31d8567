"""The settings column in a browser: levels, sliders with stops, and goal."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DEFAULT

pytestmark = pytest.mark.browser

CONTROLS = """() => [...document.querySelectorAll(
    ".settings :is([role=radiogroup], input:not([type=radio]), select, button, summary)")]
  .filter((node) => node.checkVisibility())
  .map((node) => node.getAttribute("aria-label") || node.textContent)"""
OUTSIDE = """(selectors) => selectors.filter((selector) => {
  const box = document.querySelector(selector).getBoundingClientRect();
  return !box.height || box.top < 0 || box.bottom > innerHeight;
})"""
HEADLINES = ["pruning: sparsity", "quantization: bits", "distillation: temperature"]


def names(page):
    return page.evaluate(CONTROLS)


@pytest.mark.parametrize(
    "path", [DEFAULT, "?m=fashion/cnn-10k.resnet.t4.labels1&origin=fashion/lenet5"]
)
def test_the_start_level_fits_on_a_small_screen(show, shown, path):
    shown.set_viewport_size({"width": 1280, "height": 800})
    show(path).settle()
    assert len(names(shown)) <= 12
    assert names(shown)[1:3] == HEADLINES[:2]
    for name in HEADLINES:
        expect(shown.get_by_role("slider", name=name)).to_be_visible()
    parts = [f'.settings [aria-label="{name}"]' for name in HEADLINES]
    parts += [".settings", ".stage .plot", '[data-number="accuracy"]', '[data-number="bytes"]']
    assert shown.evaluate(OUTSIDE, parts) == []


def test_a_level_shows_more_and_changes_no_recipe(show, shown):
    bench = show("?structure.removed=0.1&quantize.bits=4&quantize.range=mse")
    bench.settle()
    before = bench.number("bytes").inner_text()
    expect(shown.locator(".hidden-settings")).to_contain_text(
        "Also active: structure: channels removed, quantization: range"
    )
    start = names(shown)
    shown.get_by_role("radio", name="Explore").check()
    explore = names(shown)
    assert {"structure: channels removed", "low rank: kept"} <= {*explore} - {*start}
    expect(shown.locator(".hidden-settings")).to_contain_text("Also active: quantization: range")
    shown.locator(".hidden-settings").get_by_role("button", name="show").click()
    everything = names(shown)
    assert {"quantization: range", "layer by layer"} <= {*everything} - {*explore}
    expect(shown.locator(".hidden-settings")).to_be_hidden()
    assert bench.number("bytes").inner_text() == before
    expect(shown).to_have_url(re.compile(r"quantize\.range=mse.*level=everything"))
    show(shown.evaluate("location.search"))
    assert names(shown) == everything


def test_options_appear_once_their_part_acts(show, shown):
    bench = show("?m=fashion/lenet-300-100&level=everything")
    assert "pruning: criterion" not in names(shown)
    bench.sparsity.fill("0.5")
    assert "pruning: criterion" in names(shown)
    assert "quantization: 16-bit format" not in names(shown)
    bench.bits(16)
    assert "quantization: 16-bit format" in names(shown)
    assert "quantization: granularity" not in names(shown)


def test_batch_norm_is_absent_on_a_network_without_it(show, shown):
    show(f"{DEFAULT}&level=everything")
    assert "adjustment: batch norm" not in names(shown)
    assert "adjustment: biases" in names(shown)
    shown.get_by_label("model", exact=True).select_option("fashion/resnet")
    expect(shown.get_by_role("radiogroup", name="adjustment: batch norm")).to_be_visible()
    shown.get_by_label("model", exact=True).select_option("reviews/bag")
    expect(shown.get_by_role("slider", name="structure: channels removed")).to_be_hidden()
    assert not [name for name in names(shown) if name.startswith(("structure", "distillation"))]


def test_arrow_keys_step_through_the_bits(show, shown):
    bench = show("?m=fashion/lenet-300-100")
    slider = bench.slider("quantization: bits")
    slider.focus()
    for text in ("16 bits", "8 bits", "7 bits"):
        shown.keyboard.press("ArrowLeft")
        expect(slider).to_have_attribute("aria-valuetext", text)
    bench.settle()
    expect(shown).to_have_url(re.compile(r"quantize\.bits=7"))
    group = shown.get_by_role("group", name="Quantization")
    group.locator(".stops span", has_text=re.compile("^4$")).click()
    expect(slider).to_have_attribute("aria-valuetext", "4 bits")
    bench.settle()
    expect(shown).to_have_url(re.compile(r"quantize\.bits=4"))


def test_the_goal_counts_the_results_that_meet_it(open_bench, watched):
    bench = open_bench("?m=fashion/lenet-300-100&quantize.bits=8")
    bench.settle()
    bench.bits(4)
    bench.settle()
    watched.get_by_label("maximum size").fill("200")
    watched.get_by_label("maximum size").press("Enter")
    expect(watched.locator(".goal .passing")).to_have_text(
        "4 of 5 results meet the goal"
    )  # with presets
    expect(watched.locator(".hint")).to_contain_text("meets the goal")
    bench.bits(16)
    bench.settle()
    expect(watched.locator(".goal .passing")).to_have_text("4 of 6 results meet the goal")
    expect(watched.locator(".hint")).to_contain_text("Too large")


@pytest.mark.parametrize("typed", ["-5", "0", "e"])  # of letters, only e can be typed
def test_a_goal_that_is_no_limit_is_answered_beside_the_field(show, shown, typed):
    show("?m=fashion/lenet-300-100&budget=60000")
    size, answer = shown.get_by_label("maximum size"), shown.locator(".goal .problem:visible")
    size.fill("")
    size.press_sequentially(typed)
    size.press("Tab")
    expect(answer).to_have_text(
        "The maximum size must be a number above 0; leave it empty for no limit."
    )
    expect(size).to_have_attribute("aria-invalid", "true")
    expect(shown).to_have_url(re.compile("budget=60000"))  # the goal stays
    size.fill("50")
    size.press("Tab")
    expect(answer).to_have_count(0)
    expect(shown).to_have_url(re.compile("budget=50000"))
    shown.get_by_label("minimum accuracy").fill("101")
    shown.keyboard.press("Tab")
    expect(answer).to_contain_text("above 0 and at most 100")
