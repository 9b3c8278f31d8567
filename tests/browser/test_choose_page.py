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


ROOM_AFTER_LAST = """(list) =>
  list.getBoundingClientRect().right - list.lastElementChild.getBoundingClientRect().right"""


def test_a_recipe_is_found_and_opened_on_compress(watched, server):
    page = watched
    search(page, server, kilobytes="20", percent="80", seconds="5")
    expect(page.locator(".activity")).to_contain_text("of the computing", timeout=LONG)
    expect(page.locator(".choosing-headline")).to_have_text("These recipes meet the limits.")
    card = page.locator(".choosing-card").first
    size = card.locator("dd").first.inner_text()
    expect(page.locator(".choosing-reasons li").first).to_contain_text(size)
    for width in (900, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.locator(".choosing-cards").evaluate(ROOM_AFTER_LAST) < 1, width
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
    expect(page.locator(".activity")).to_contain_text("of the computing", timeout=LONG)
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
    with page.expect_download() as saved:
        page.get_by_role("button", name="PNG").click()
    image = saved.value.path().read_bytes()
    assert image.startswith(b"\x89PNG")
    assert int.from_bytes(image[16:20], "big") >= 1600  # its width in pixels

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


def held(page, key):
    """Press the line of a limit where no point is; return the place of the pointer."""
    handle = page.locator(f'.limit-handle[data-limit="{key}"]:visible')
    box = handle.bounding_box()
    across = 0.2 if key == "floor" else 0.5
    x, y = across * box["width"], 0.5 * box["height"]
    handle.hover(position={"x": x, "y": y})  # waits until it no longer moves
    page.mouse.down()
    box = handle.bounding_box()
    return box["x"] + x, box["y"] + y


def test_both_limits_are_dragged_in_the_picture_and_each_drag_is_undone(show_page, shown):
    page = show_page("?m=fashion/mlp-32&page=choose")
    large = page.get_by_role("spinbutton", name="large")
    accurate = page.get_by_role("spinbutton", name="accurate")
    before = large.input_value(), accurate.input_value()
    label = page.locator(".limit-shade.you span")
    undo = page.get_by_role("button", name="undo", exact=True)
    page.locator(".limit-handle").nth(1).wait_for(state="attached")
    expect(undo).to_be_disabled()
    x, y = held(page, "budget")
    page.mouse.move(x - 60, y, steps=3)
    # a picture that is drawn again does not end the drag
    page.evaluate("document.querySelector('.tab-body .plot').style.height = '300px'")
    page.wait_for_timeout(300)
    page.mouse.move(x - 80, y, steps=3)
    expect(label).to_have_text(f"goal ≤ {large.input_value()}\u202fkB")
    assert len(large.input_value().replace(".", "").strip("0")) <= 2  # as one would type it
    page.mouse.up()
    small = large.input_value()
    assert float(small) < float(before[0])
    x, y = held(page, "floor")
    page.mouse.move(x, y + 50, steps=3)
    expect(label).to_have_text(f"goal ≥ {accurate.input_value()}\u202f%")
    page.mouse.up()
    expect(page.locator(".tab-body .annotation", has_text=accurate.input_value())).to_be_visible()
    assert float(accurate.input_value()) < float(before[1])

    undo.click()
    expect(accurate).to_have_value(before[1])
    expect(large).to_have_value(small)
    undo.click()
    expect(large).to_have_value(before[0])
    expect(undo).to_be_disabled()
    page.get_by_role("button", name="redo", exact=True).click()
    expect(large).to_have_value(small)

    x, y = held(page, "budget")
    page.mouse.move(x - 50, y, steps=3)
    expect(large).not_to_have_value(small)
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(large).to_have_value(small)


def test_the_goal_of_compress_is_dragged_and_points_on_its_lines_are_clicked(show, shown):
    bench = show("?m=fashion/lenet5&budget=200000&floor=0.88")
    page = shown
    size = page.get_by_role("spinbutton", name="maximum size")
    page.locator(".stage .limit-handle").nth(1).wait_for(state="attached")
    x, y = held(page, "budget")
    page.mouse.move(x - 40, y, steps=3)
    expect(page.locator(".limit-shade.you span")).to_contain_text(size.input_value())
    page.mouse.up()
    page.wait_for_function("location.search.includes(`budget=${" + size.input_value() + "}000`)")
    assert "prune" not in page.url  # no preset was selected
    page.get_by_role("button", name="undo", exact=True).click()
    expect(size).to_have_value("200")
    preset = bench.trace("presets")
    small = [point["key"] for point in preset["customdata"]].index("small")
    place = preset["x"][small]
    size.fill(f"{place / 1000:.9g}")
    size.press("Tab")
    name = page.locator(".stage .annotation", has_text=f"{place / 1000:g}")
    expect(name).to_be_visible()
    box = page.locator('.limit-handle[data-limit="budget"]:visible').bounding_box()
    offset, length, (low, high) = page.evaluate(
        """() => {
          const { yaxis } = document.querySelector(".stage .plot")._fullLayout;
          return [yaxis._offset, yaxis._length, yaxis.range];
        }"""
    )
    share = (preset["y"][small] - low) / (high - low)
    plot = page.locator(".stage .plot").bounding_box()
    x, y = box["x"] + box["width"] / 2, plot["y"] + offset + (1 - share) * length
    page.mouse.move(x, y - 30)
    page.mouse.move(x, y, steps=4)
    page.mouse.down()  # on a point that lies on the line
    page.mouse.move(x - 50, y, steps=3)
    page.mouse.up()
    dragged = size.input_value()
    assert float(dragged) < place / 1000
    page.wait_for_function("location.search.includes(`budget=${" + dragged + " * 1000}`)")
    assert "prune" not in page.url
    page.get_by_role("button", name="undo", exact=True).click()
    expect(name).to_be_visible()
    page.mouse.move(x, y - 30)
    page.mouse.move(x, y, steps=4)
    page.mouse.down()
    page.mouse.up()
    page.wait_for_function("location.search.includes('prune.sparsity')")
