"""The pages of the app in a browser: navigation, address and history."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
SMALL = "?m=fashion/lenet-300-100"


def link(page, name):
    return page.get_by_role("navigation").get_by_role("button", name=name, exact=True)


def test_a_page_opens_from_the_navigation_and_the_back_button_returns(show, shown):
    bench = show(f"{SMALL}&prune.sparsity=0.5")
    bench.settle()
    expect(link(shown, "Compress")).to_have_attribute("aria-current", "page")
    link(shown, "Train").click()
    expect(shown).to_have_url(re.compile(r"prune\.sparsity=0\.5.*&page=train$"))
    expect(link(shown, "Train")).to_have_attribute("aria-current", "page")
    expect(shown.get_by_role("button", name="fine-tune")).to_be_visible()
    expect(bench.sparsity).to_be_hidden()
    shown.go_back()
    expect(bench.sparsity).to_be_visible()
    expect(shown).not_to_have_url(re.compile("page="))
    shown.go_forward()
    expect(shown.get_by_role("button", name="fine-tune")).to_be_visible()


def test_the_recipe_goes_with_the_user_and_survives_the_back_button(show, shown):
    bench = show(SMALL)
    bench.sparsity.fill("0.5")
    bench.settle()
    shown.get_by_role("button", name="train ▸").click()
    card = shown.locator(".page:not([hidden]) .card")
    expect(card).to_contain_text("50.0\u202f%")
    shown.get_by_role("button", name="undo").click()
    expect(card).to_contain_text("same size")
    shown.go_back()
    expect(bench.sparsity).to_have_value("0")  # back changes the page; undo changes the recipe
    expect(shown).not_to_have_url(re.compile("prune.sparsity"))
    shown.get_by_role("button", name="redo").click()
    expect(bench.sparsity).to_have_value("0.5")


def test_an_address_opens_its_page_and_its_hidden_pages_cost_nothing(watched, server):
    frames = []

    def record(frame):
        frames.append(frame)

    watched.on("websocket", lambda socket: socket.on("framereceived", record))
    watched.goto(f"{server.url}{SMALL}&prune.sparsity=0.5&page=train")
    watched.locator(".wb[data-ready] .tab-body[data-seq]").wait_for()
    expect(watched.locator('.card[data-exact="true"]')).to_be_visible()
    assert kinds(frames) >= {"page", "state", "tab"}
    assert "chart" not in kinds(frames)
    assert watched.locator(".stage").count() == 0  # the page Compress is not built yet
    link(watched, "Compress").click()
    watched.locator(".stage .plot[data-seq]").wait_for()
    assert "chart" in kinds(frames)


def test_the_keyboard_reaches_the_pages(show, shown):
    show(SMALL)
    shown.locator(".wb h1").click()
    shown.keyboard.press("Tab")
    shown.keyboard.press("Tab")
    shown.keyboard.press("Enter")
    expect(link(shown, "Train")).to_be_focused()
    expect(link(shown, "Train")).to_have_attribute("aria-current", "page")
    assert shown.get_by_role("heading", level=1).count() == 1


def test_the_first_paint_does_not_jump(open_bench, watched):
    watched.set_viewport_size({"width": 1280, "height": 800})
    watched.add_init_script(
        """window.shift = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) window.shift += entry.value;
        }).observe({ type: "layout-shift", buffered: true });"""
    )
    open_bench(f"{SMALL}&prune.sparsity=0.5").settle()
    assert watched.evaluate("window.shift") < 0.02


def test_no_page_scrolls_sideways(show, shown):
    show(f"{SMALL}&prune.sparsity=0.3&quantize.bits=4").settle()
    for name in ("Train", "Compress"):
        link(shown, name).click()
        for width in (320, 390, 760, 900, 1280):
            shown.set_viewport_size({"width": width, "height": 800})
            fits = "(width) => document.documentElement.scrollWidth <= width"
            shown.wait_for_function(fits, arg=width)  # the chart follows in the next frame


def kinds(frames):
    text = b"".join(x if isinstance(x, bytes) else x.encode() for x in frames)
    return {kind.decode() for kind in re.findall(rb'"kind": ?"(\w+)"', text)}
