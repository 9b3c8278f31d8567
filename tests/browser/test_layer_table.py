"""The layer table in a browser: settings, keeping the file size, and the sensitivity chart."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
SMALL = "?m=fashion/lenet-300-100&level=everything"


@pytest.fixture
def open_table(show, shown):
    def opened(more):
        bench = show(SMALL + more)
        bench.settle()
        shown.locator("summary", has_text="layer by layer").click()
        return bench

    return opened


def test_a_layer_is_set_and_excluded(open_table, shown):
    bench = open_table("&prune.sparsity=0.8&quantize.bits=4")
    row = shown.get_by_label("sparsity by layer: fc2.weight")
    row.fill("50")
    row.press("Enter")
    bench.settle()
    expect(shown).to_have_url(re.compile(r"prune\.layers=fc2\.weight:0\.5"))
    shown.get_by_label("exclude: fc2.weight").check()
    bench.settle()
    expect(row).to_be_disabled()
    for part in ("prune", "factorize", "share", "quantize"):
        expect(shown).to_have_url(re.compile(rf"{part}\.exclude=fc2\.weight"))
    shown.get_by_label("exclude: fc2.weight").uncheck()
    bench.settle()
    expect(row).to_be_enabled()
    expect(shown).not_to_have_url(re.compile("exclude"))


def test_keeping_the_file_size(open_table, shown):
    bench = open_table("&prune.sparsity=0.9&quantize.bits=4")
    before = size(bench)
    shown.get_by_label("keep the file size").check()
    held_size = shown.locator(".layer-table .held-size")
    expect(held_size).to_have_text(re.compile(rf"^target {before:,}\D"))
    row = shown.get_by_label("sparsity by layer: fc2.weight")
    row.fill("60")
    row.press("Enter")
    shown.wait_for_url(re.compile(r"prune\.layers=fc2\.weight:0\.6"))
    bench.settle()
    assert abs(size(bench) - before) <= 0.01 * before
    readout = bench.readout.inner_text()
    link = re.search(r"prune\.sparsity=0\.(\d+)", shown.url)[1]
    assert readout == f"{float(f'0.{link}') * 100:g}\u202f%"  # between two steps of the slider
    last = shown.get_by_label("sparsity by layer: fc1.weight")
    last.fill("10")
    last.press("Enter")
    expect(shown.get_by_role("alert")).to_contain_text("cannot keep its")
    shown.locator(".wb .name").click()
    assert abs(size(bench) - before) <= 0.01 * before


def size(bench):
    return int(re.sub(r"\D", "", bench.number("bytes").inner_text()))


def test_a_click_on_the_sensitivity_chart_sets_a_layer(show, shown):
    bench = show(SMALL)
    bench.settle()
    shown.get_by_role("tab", name="layers").click()
    shown.get_by_role("button", name="try bits").click()
    shown.locator(".tab-body h2", has_text="tolerate").wait_for()
    plot = shown.locator(".tab-body .plot")
    plot.scroll_into_view_if_needed()
    place = plot.evaluate(
        """(plot) => {
          const { xaxis, yaxis } = plot._fullLayout;
          const box = plot.getBoundingClientRect();
          return [box.x + xaxis._offset + xaxis.d2p("4"), box.y + yaxis._offset + yaxis.d2p("fc2")];
        }"""
    )
    shown.mouse.move(*place)
    shown.mouse.click(*place)
    shown.wait_for_url(re.compile(r"quantize\.layers=fc2\.weight:4"))
    bench.settle()
    assert bench.point
    expect(shown.get_by_role("button", name="try bits")).to_be_visible()
