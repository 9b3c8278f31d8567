"""The settings column in a browser: levels, sliders with stops, goal and tour."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

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


@pytest.mark.parametrize("path", ["", "?m=fashion/cnn-10k.resnet.t4.labels1&origin=fashion/lenet5"])
def test_the_start_level_fits_on_a_small_screen(open_bench, watched, path):
    watched.set_viewport_size({"width": 1280, "height": 800})
    open_bench(path).settle()
    assert len(names(watched)) <= 12
    assert names(watched)[1:3] == HEADLINES[:2]
    for name in HEADLINES:
        expect(watched.get_by_role("slider", name=name)).to_be_visible()
    shown = [f'.settings [aria-label="{name}"]' for name in HEADLINES]
    shown += [".settings", ".stage .plot", '[data-number="accuracy"]', '[data-number="bytes"]']
    assert watched.evaluate(OUTSIDE, shown) == []


def test_a_level_shows_more_and_changes_no_recipe(open_bench, watched):
    bench = open_bench("?structure.removed=0.1&quantize.bits=4&quantize.range=mse")
    bench.settle()
    before = bench.number("bytes").inner_text()
    expect(watched.locator(".hidden-settings")).to_contain_text("2 more settings are active")
    start = names(watched)
    watched.get_by_role("radio", name="Explore").check()
    explore = names(watched)
    assert {"structure: channels removed", "low rank: kept"} <= {*explore} - {*start}
    expect(watched.locator(".hidden-settings")).to_contain_text("1 more setting is active")
    watched.locator(".hidden-settings").get_by_role("button", name="show").click()
    everything = names(watched)
    assert {"quantization: range", "layer by layer"} <= {*everything} - {*explore}
    expect(watched.locator(".hidden-settings")).to_be_hidden()
    assert bench.number("bytes").inner_text() == before
    expect(watched).to_have_url(re.compile(r"quantize\.range=mse.*level=everything"))
    watched.reload()
    watched.locator(".wb[data-ready]").wait_for()
    assert names(watched) == everything


def test_options_appear_once_their_part_acts(open_bench, watched):
    bench = open_bench("?m=fashion/lenet-300-100&level=everything")
    assert "pruning: criterion" not in names(watched)
    bench.sparsity.fill("0.5")
    assert "pruning: criterion" in names(watched)
    assert "quantization: 16-bit format" not in names(watched)
    bench.bits(16)
    assert "quantization: 16-bit format" in names(watched)
    assert "quantization: granularity" not in names(watched)


def test_batch_norm_is_absent_on_a_network_without_it(open_bench, watched):
    open_bench("?level=everything")
    assert "adjustment: batch norm" not in names(watched)
    assert "adjustment: biases" in names(watched)
    watched.get_by_label("model", exact=True).select_option("fashion/resnet")
    expect(watched.get_by_role("radiogroup", name="adjustment: batch norm")).to_be_visible()
    watched.get_by_label("model", exact=True).select_option("reviews/bag")
    expect(watched.get_by_role("slider", name="structure: channels removed")).to_be_hidden()
    assert not [name for name in names(watched) if name.startswith(("structure", "distillation"))]


def test_arrow_keys_step_through_the_bits(open_bench, watched):
    bench = open_bench("?m=fashion/lenet-300-100")
    slider = bench.slider("quantization: bits")
    slider.focus()
    for text in ("16 bits", "8 bits", "7 bits"):
        watched.keyboard.press("ArrowLeft")
        expect(slider).to_have_attribute("aria-valuetext", text)
    bench.settle()
    expect(watched).to_have_url(re.compile(r"quantize\.bits=7"))
    group = watched.get_by_role("group", name="Quantization")
    group.locator(".stops span", has_text=re.compile("^4$")).click()
    expect(slider).to_have_attribute("aria-valuetext", "4 bits")
    bench.settle()
    expect(watched).to_have_url(re.compile(r"quantize\.bits=4"))


def test_the_goal_counts_the_results_that_meet_it(open_bench, watched):
    bench = open_bench("?m=fashion/lenet-300-100&quantize.bits=8")
    bench.settle()
    bench.bits(4)
    bench.settle()
    watched.get_by_label("maximum size").fill("200")
    watched.get_by_label("maximum size").press("Enter")
    expect(watched.locator(".goal .passing")).to_have_text("1 of 2 results meet the goal")
    expect(watched.locator(".hint")).to_contain_text("meets the goal")
    bench.bits(16)
    bench.settle()
    expect(watched.locator(".goal .passing")).to_have_text("1 of 3 results meet the goal")
    expect(watched.locator(".hint")).to_contain_text("Too large")


def test_the_tour_waits_for_the_hand(open_bench, watched):
    bench = open_bench("?m=fashion/lenet-300-100&tour=1")
    bubble = watched.get_by_role("dialog", name="guided tour")
    count = bubble.locator(".count")
    expect(count).to_have_text("1 of 6")
    bench.sparsity.fill("0.7")
    bench.settle()
    expect(count).to_have_text("1 of 6")  # the task is 80 %
    bench.sparsity.fill("0.8")
    expect(count).to_have_text("2 of 6")
    bench.bits(4)
    expect(count).to_have_text("3 of 6")
    watched.get_by_role("button", name="undo").click()
    expect(count).to_have_text("4 of 6")
    bench.choose("distillation: temperature", 4)
    expect(count).to_have_text("5 of 6")
    watched.get_by_label("minimum accuracy").focus()
    watched.keyboard.press("Tab")  # the bubble follows the control that it explains
    expect(bubble.get_by_role("button", name="skip")).to_be_focused()
    watched.keyboard.press("Enter")
    expect(count).to_have_text("6 of 6")
    expect(bubble).to_contain_text("Download")
    watched.keyboard.press("Escape")
    expect(bubble).to_be_hidden()
    expect(watched).not_to_have_url(re.compile("tour"))


def test_the_tour_starts_from_its_button(open_bench, watched):
    open_bench("?m=reviews/bag")
    watched.get_by_role("button", name="tour", exact=True).click()
    expect(watched.get_by_role("dialog", name="guided tour")).to_contain_text("1 of 5")
    watched.get_by_role("button", name="end the tour").click()
    expect(watched.get_by_role("dialog", name="guided tour")).to_be_hidden()
