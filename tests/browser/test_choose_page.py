"""The Choose page: questions, cards, the picture that fills, and the way to Compress."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.test_accessibility import SMALL_TEXTS

pytestmark = pytest.mark.browser
LONG = 60_000  # ms


def search(page, server, *, kilobytes, percent, seconds):
    page.goto(f"{server.url}?m=fashion/mlp-32&page=choose")
    page.get_by_role("spinbutton", name="How large may the file be?").fill(kilobytes)
    page.get_by_role("spinbutton", name="How accurate must it be?").fill(percent)
    page.get_by_role("spinbutton", name="How long may it search?").fill(seconds)
    page.get_by_role("button", name="Find recipes").click()


def test_a_recipe_is_found_and_opened_on_compress(watched, server):
    page = watched
    search(page, server, kilobytes="20", percent="80", seconds="5")
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


def test_the_card_of_another_network_opens_it_on_compress(watched, server):
    page = watched
    search(page, server, kilobytes="9", percent="87.5", seconds="60")
    card = page.locator(".choosing-card", has_text="another network")
    expect(card).to_have_count(1, timeout=LONG)
    size = card.locator("dd").first.inner_text()
    # while it searches: the model, its recipe and the page change at the same time
    card.get_by_role("button").click()
    page.wait_for_function("location.search.includes('m=fashion/cnn-10k')")
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


def test_a_decimal_comma_is_a_point(show_page, shown):
    page = show_page("?m=fashion/mlp-32&page=choose")
    problems = page.locator(".choosing .problem:visible")
    box = page.get_by_role("spinbutton", name="large")
    before = box.input_value()
    for typed, shows, allowed in (("1,5", "1.5", True), ("1,500", "1.500", False)):
        box.fill("")
        box.press_sequentially(typed)
        box.press("Tab")
        expect(box).to_have_value(shows)
        expect(problems).to_have_count(0 if allowed else 1)
    expect(problems).to_contain_text("thousands without a comma")
    page.get_by_role("button", name="Find recipes").click()
    expect(box).to_be_focused()
    expect(page.locator(".activity:visible")).to_have_count(0)
    box.fill("1500")
    box.press("Tab")
    expect(problems).to_have_count(0)
    box.fill(before)
    box.press("Tab")


def rgb(color):
    """Return a color such as #102030 as browsers write it."""
    return "rgb({}, {}, {})".format(*bytes.fromhex(color.strip().removeprefix("#")))


def brushes(page):
    """Return the dragged ranges by the label of the axis."""
    return page.evaluate(
        "Object.fromEntries(document.querySelector('.tab-body .plot').data[0].dimensions"
        ".filter((d) => d.constraintrange).map((d) => [d.label, d.constraintrange]))"
    )


def test_the_space_is_narrowed_with_the_mouse_and_the_keyboard(show_page, shown):
    page = show_page("?m=fashion/mlp-32&page=choose")
    page.get_by_role("spinbutton", name="How long may it search?").fill("6")
    page.get_by_role("button", name="Find recipes").click()
    expect(page.locator(".activity")).to_contain_text("were not needed", timeout=LONG)
    page.get_by_role("button", name="what good recipes have in common").click()
    page.locator(".tab-body .plot .axis-title").first.wait_for()
    assert page.evaluate(SMALL_TEXTS) == []
    # with the keyboard
    plot, title = page.locator(".tab-body .plot"), page.locator(".tab-body h2")
    page.get_by_role("combobox", name="field").select_option(label="bits")
    last = page.get_by_role("combobox", name="last value")
    expect(last).to_have_value("2")
    last.press("ArrowUp")
    expect(title).to_have_text("The next search tries only: bits 32 to 3.")
    expect(last).to_be_focused()
    expect(plot.locator(".axis-title").filter(has_text="bits")).to_have_count(1)
    line = plot.locator(".axis .domain").first
    muted = plot.evaluate("node => getComputedStyle(node).getPropertyValue('--muted')")
    assert line.evaluate("node => getComputedStyle(node).stroke") == rgb(muted)
    assert brushes(page) == {"bits": [-0.5, 5.5]}

    # with the mouse: the same field, and an axis that is no field
    plot.scroll_into_view_if_needed()
    for label in ("bits", "file size"):
        number = plot.locator(".axis-title").all_text_contents().index(label)
        place = plot.locator(".axis-brush").nth(number).bounding_box()
        x, y, height = place["x"] + place["width"] / 2, place["y"], place["height"]
        page.mouse.move(x, y + 0.05 * height)
        page.mouse.down()
        page.mouse.move(x, y + 0.6 * height, steps=6)
        page.mouse.up()
        page.wait_for_timeout(1000)  # a redraw must not lose it
    first, last = brushes(page)["bits"]
    assert -0.5 < first < last
    assert set(brushes(page)) == {"bits", "file size"}
    expect(title).not_to_contain_text("bits 32")
    page.get_by_role("button", name="all values").click()
    expect(title).not_to_contain_text("tries only")
    assert set(brushes(page)) == {"file size"}
    page.get_by_role("button", name="size and accuracy").click()  # the page is shared
    expect(page.locator(".tab-body .plot .shapelayer")).not_to_have_count(0)


def test_a_limit_is_dragged_in_the_picture(show_page, shown):
    page = show_page("?m=fashion/mlp-32&page=choose")
    box = page.get_by_role("spinbutton", name="large")
    before = float(box.input_value())
    limit = page.locator('.tab-body .plot .shapelayer path[style*="pointer-events"]').first
    limit.wait_for(state="attached")
    page.wait_for_timeout(1000)  # on a busy machine, the picture is drawn again, which ends a drag
    place = limit.bounding_box()
    x, y = place["x"], place["y"] + 0.6 * place["height"]
    page.mouse.move(x, y)
    expect(page.locator(".tab-body .plot .outline-controllers")).to_have_count(1)
    page.mouse.down()
    page.mouse.move(x - 60, y, steps=5)
    page.mouse.up()
    expect(box).not_to_have_value(f"{before:g}")
    assert float(box.input_value()) < before
