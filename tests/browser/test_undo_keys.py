"""Undo and redo with the keyboard: the same history as the buttons, on all pages."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_keys_undo_and_redo_on_all_pages_but_not_in_edited_fields(show, shown):
    bench, page = show(), shown
    bench.sparsity.fill("0.5")
    bench.settle()
    page.keyboard.press("Control+z")  # the slider has the focus
    expect(bench.sparsity).to_have_value("0")
    page.keyboard.press("Control+Shift+Z")
    expect(bench.sparsity).to_have_value("0.5")
    size = page.get_by_role("spinbutton", name="maximum size")
    size.fill("200")
    size.press("Tab")
    size.fill("300")
    size.press("Control+z")  # the undo of the field itself
    expect(bench.sparsity).to_have_value("0.5")
    size.fill("300")
    size.press("Enter")
    undo = page.get_by_role("button", name="undo", exact=True)
    size.press("Control+z")  # of the page, as the field holds no edit
    expect(size).to_have_value("200")
    size.press("Control+Shift+Z")
    expect(size).to_have_value("300")
    size.press("Tab")

    page.get_by_role("button", name="Choose", exact=True).click()
    expect(undo).to_be_enabled()
    banner = page.locator(".banner")
    expect(banner).to_be_hidden()
    large = page.get_by_role("spinbutton", name="How large")
    expect(large).not_to_have_value("170")  # the goal, not what is suggested
    while page.locator(".suggested:visible").count() < 2:
        before = large.input_value()
        page.locator(".choosing h2").click()  # nothing that can be typed into
        page.keyboard.press("Control+z")
        expect(large).not_to_have_value(before)
    expect(banner).to_be_hidden()
    undo.click()
    expect(banner).to_contain_text("The recipe on Compress is now")
    page.get_by_role("button", name="Plan", exact=True).click()
    expect(banner).to_be_hidden()
    page.keyboard.press("Control+y")
    expect(banner).to_contain_text("sparsity 50\u202f%")
    page.get_by_role("button", name="Compress", exact=True).click()
    expect(bench.sparsity).to_have_value("0.5")
