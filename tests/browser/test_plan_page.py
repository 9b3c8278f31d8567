"""The page Plan: sliders, answer and picture change together."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DEFAULT

pytestmark = pytest.mark.browser


def test_a_slider_changes_the_answer_and_the_picture(show_page):
    page = show_page(f"{DEFAULT}&page=plan")
    fits = page.locator(".plan-answer .fits")
    expect(fits).to_have_text("fits")
    title = page.locator(".tab-body h2")
    expect(title).to_contain_text("H100")
    page.get_by_label("chip", exact=True).select_option("rtx-4090")
    expect(fits).to_have_text("does not fit")
    expect(title).to_contain_text("RTX 4090")
    page.get_by_role("slider", name="batch in sequences").press("Home")
    page.get_by_label("numbers").select_option("int4")
    expect(fits).to_have_text("fits")
    page.get_by_role("radio", name="train").check(force=True)
    expect(fits).to_have_text("does not fit")
    page.get_by_role("tab", name="predicted vs. measured").click()
    expect(title).to_contain_text("rows, mean error")


def test_a_price_that_is_none_stays_with_a_sentence_next_to_it(show_page):
    page = show_page(f"{DEFAULT}&page=plan")
    price = page.get_by_label("price of a chip hour")
    price.fill("2")
    price.press("Enter")
    expect(page.locator(".plan-numbers")).to_contain_text("at the price given")
    answer = page.locator(".field", has=price).get_by_role("alert")
    for text in ("-3", "", "1e9"):
        price.fill(text)
        price.press("Tab")
        expect(answer).to_have_text("Enter a number from 0 to 1,000,000; until then, 2 is used.")
        page.get_by_role("slider", name="batch in sequences").press("ArrowLeft")
        expect(page.locator(".plan-numbers")).to_contain_text("at the price given")
        expect(price).to_have_value(text)
    price.fill("0")
    price.press("Tab")
    expect(answer).to_have_count(0)
    expect(page.locator(".plan-numbers")).not_to_contain_text("at the price given")


@pytest.mark.parametrize("content", [b"[]", b" " * (2**22 + 1)])
def test_a_file_that_is_refused_is_answered_below_its_button(show_page, content):
    page = show_page(f"{DEFAULT}&page=plan")
    file = {"name": "mine.json", "mimeType": "application/json", "buffer": content}
    page.locator(".open-config input").set_input_files(file)
    answer = page.locator(".open-config + [role=alert]")
    expect(answer).to_contain_text("mine.json")
    assert answer.bounding_box()["y"] > page.locator(".open-config").bounding_box()["y"]


def test_a_plan_returns_after_a_reload(watched, server):
    watched.goto(f"{server.url}{DEFAULT}&page=plan")
    watched.get_by_label("chip", exact=True).select_option("rtx-4090")
    watched.get_by_role("radio", name="train").check(force=True)
    watched.wait_for_url(re.compile(r"plan\.mode=train.*plan\.chip=rtx-4090"))
    before = watched.locator(".plan-answer").inner_text()
    watched.reload()
    expect(watched.get_by_label("chip", exact=True)).to_have_value("rtx-4090")
    expect(watched.get_by_role("radio", name="train")).to_be_checked()
    assert watched.locator(".plan-answer").inner_text() == before


def test_a_link_plans_with_the_bits_of_its_file_once_that_is_created(show_page):
    page = show_page(
        "?m=fashion/lenet5&quantize.bits=4&quantize.rounding=compensated&prune.sparsity=0.43"
        "&plan.precision=file&page=plan"
    )
    numbers = page.get_by_label("numbers").locator("option:checked")
    expect(numbers).to_have_text(re.compile(r"like the open file: [234]\.\d\d bits"))
    expect(page.locator(".plan-answer")).to_contain_text("as many bits as in the open file")


def test_the_legend_stays_above_the_bars_when_the_window_changes(show_page):
    page = show_page(f"{DEFAULT}&page=plan")
    plot = page.locator(".page:visible .plot")
    for width in (390, 1280, 640, 1920, 390, 1280, 900, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        drawn = "plot => Math.abs(plot._fullLayout.width - plot.clientWidth) < 1"
        page.wait_for_function(drawn, arg=plot.element_handle())
        legend = plot.locator(".legend .bg").bounding_box()
        bars = plot.locator(".barlayer .point path").first.bounding_box()
        assert legend["y"] + legend["height"] <= bars["y"], width
