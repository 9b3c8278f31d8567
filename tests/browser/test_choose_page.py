"""The Choose page: questions, cards, the picture that fills, and the way to Compress."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
LONG = 60_000  # ms


def test_a_recipe_is_found_and_opened_on_compress(watched, server):
    page = watched
    page.goto(f"{server.url}?m=fashion/mlp-32&page=choose")
    page.get_by_role("spinbutton", name="How large may the file be?").fill("20")
    page.get_by_role("spinbutton", name="How accurate must it be?").fill("80")
    page.get_by_role("spinbutton", name="How long may it search?").fill("5")
    page.get_by_role("button", name="Find recipes").click()
    expect(page.locator(".activity")).to_contain_text("were not needed", timeout=LONG)
    expect(page.locator(".choosing-headline")).to_have_text("These recipes meet the limits.")
    card = page.locator(".choosing-card").first
    size = card.locator("dd").first.inner_text()
    expect(page.locator(".choosing-reasons li").first).to_contain_text(size)
    points = page.evaluate(
        "document.querySelector('.tab-body .plot').data.find((t) => t.name === 'visited').x"
    )
    assert len(points) >= 3
    card.get_by_role("button").click()
    expect(page.locator('[data-number="bytes"]').first).to_contain_text(size.split("\u202f")[0])
    assert "page=compress" in page.url


def test_an_answer_that_is_no_limit_starts_no_search(show_page, shown):
    page = show_page("?m=fashion/mlp-32&page=choose")
    problems = page.locator(".choosing .problem:visible")
    for name, typed in (("large", "-5"), ("accurate", "0"), ("long", "")):
        box = page.get_by_role("spinbutton", name=name)
        before = box.input_value()
        box.fill(typed)
        page.get_by_role("button", name="Find recipes").click()
        expect(problems).to_have_count(1)
        expect(box).to_be_focused()
        box.fill(before)
    box.press("Tab")
    expect(problems).to_have_count(0)
    expect(page.locator(".activity:visible")).to_have_count(0)


def test_a_limit_is_dragged_in_the_picture(show_page, shown):
    page = show_page("?m=fashion/mlp-32&page=choose")
    box = page.get_by_role("spinbutton", name="large")
    before = float(box.input_value())
    limit = page.locator('.tab-body .plot .shapelayer path[style*="pointer-events"]').first
    limit.wait_for(state="attached")
    place = limit.bounding_box()
    x, y = place["x"], place["y"] + 0.6 * place["height"]
    page.mouse.move(x, y)
    expect(page.locator(".tab-body .plot .outline-controllers")).to_have_count(1)
    page.mouse.down()
    page.mouse.move(x - 60, y, steps=5)
    page.mouse.up()
    expect(box).not_to_have_value(f"{before:g}")
    assert float(box.input_value()) < before
