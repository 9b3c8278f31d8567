"""The page Plan: sliders, answer and picture change together."""

from __future__ import annotations

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
    page.get_by_role("tab", name="right or wrong?").click()
    expect(title).to_contain_text("rows, mean error")
