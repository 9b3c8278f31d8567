"""The picture: the point moves with the numbers, drags leave a trail, presets are landmarks."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
SMALL = "?m=fashion/lenet-300-100"

RECORD_FRAMES = """() => {
  window.frames = [];
  const card = document.querySelector(".card");
  const accuracy = card.querySelector("[data-number=accuracy]");
  const times = card.querySelector("[data-number=times]");
  const title = document.querySelector(".stage h2");
  const record = () => {
    if (!card.isConnected) return;
    const pending = card.classList.contains("pending");
    const point = document.querySelector(".stage .live .you");
    window.frames.push({
      accuracy: pending ? accuracy.dataset.before : accuracy.textContent,
      times: times.textContent,
      title: title.textContent,
      y: Number(point.dataset.y),
      x: Number(point.dataset.x),
      pending,
      faint: point.classList.contains("faint"),
    });
    requestAnimationFrame(record);
  };
  requestAnimationFrame(record);
}"""


def percent(height):
    return f"{100 * (1 - 10**-height):.1f}\u202f%"


def test_number_and_point_agree_at_every_painted_frame(show, shown):
    bench = show(SMALL)
    bench.settle()
    shown.evaluate(RECORD_FRAMES)
    bench.drag(bench.sparsity, 0, 0.95, steps=120)
    bench.drag(bench.sparsity, 0.95, 0.4, steps=60)
    bench.settle()
    frames = shown.evaluate("window.frames")
    assert len({frame["accuracy"] for frame in frames}) > 3
    for frame in frames:
        assert percent(frame["y"]) == frame["accuracy"], frame
        assert frame["pending"] == frame["faint"], frame
        if "smaller" in frame["times"]:
            ratio = frame["times"].removesuffix(" smaller")
            assert frame["title"].startswith((ratio, "The original")), frame


def test_the_point_is_where_plotly_draws_the_visited_point(open_bench, watched):
    bench = open_bench(f"{SMALL}&prune.sparsity=0.8&quantize.bits=4")
    bench.settle()
    watched.wait_for_function(
        """() => document.querySelector(".stage .plot").data
          .find((trace) => trace.name === "visited").x.length === 1"""
    )
    distance = watched.evaluate(
        """() => {
          const plot = document.querySelector(".stage .plot");
          const index = plot.data.findIndex((trace) => trace.name === "visited");
          const node = plot.querySelectorAll(".scatterlayer .trace")[index];
          const center = (element) => {
            const box = element.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
          };
          const [x, y] = center(node.querySelector("path.point"));
          const [left, top] = center(document.querySelector(".stage .live .you .mark"));
          return Math.hypot(x - left, y - top);
        }"""
    )
    assert distance < 1.5


def test_undo_takes_one_drag(show, shown):
    bench = show(SMALL)
    undo = shown.get_by_role("button", name="undo")
    bench.drag(bench.sparsity, 0, 0.5)
    bench.settle()
    first = bench.sparsity.input_value()
    bench.drag(bench.sparsity, 0.5, 0.9)
    undo.click()
    expect(bench.sparsity).to_have_value(first)
    undo.click()
    expect(bench.sparsity).to_have_value("0")


def test_undo_takes_each_of_several_quick_drags(show, shown):
    bench = show(SMALL)
    undo = shown.get_by_role("button", name="undo")
    values = []
    for start, end in ((0, 0.3), (0.3, 0.5), (0.5, 0.8), (0.8, 0.6)):
        bench.drag(bench.sparsity, start, end, steps=2)
        values.append(bench.sparsity.input_value())
    for value in [*values[-2::-1], "0"]:
        undo.click()
        expect(bench.sparsity).to_have_value(value)
    expect(undo).to_be_disabled()


# The page waits 400 ms until a run of key presses ends; here until the test calls `window.rest`.
HOLD_REST = """() => {
  const start = window.setTimeout;
  window.setTimeout = (call, time, ...more) => {
    if (time !== 400) return start(call, time, ...more);
    window.rest = call;
  };
  window.release = () => (window.setTimeout = start);
}"""


def test_undo_takes_one_run_of_key_presses(show, shown):
    bench = show(SMALL)
    undo = shown.get_by_role("button", name="undo")
    bench.sparsity.focus()
    shown.evaluate(HOLD_REST)
    for _run in range(2):
        for _press in range(4):
            shown.keyboard.press("ArrowRight")
        bench.settle()
        shown.evaluate("window.rest()")
    shown.evaluate("window.release()")
    expect(bench.sparsity).to_have_value("0.08")
    undo.click()
    expect(bench.sparsity).to_have_value("0.04")
    undo.click()
    expect(bench.sparsity).to_have_value("0")


def test_a_drag_leaves_a_trail_until_the_next(show, shown):
    bench = show(SMALL)
    dots = shown.locator(".stage .live .trail")
    bench.settle()
    bench.drag(bench.sparsity, 0, 0.9, steps=60, pause=50)
    bench.settle()
    assert dots.count() >= 3
    assert shown.locator(".stage .live .trail:not(.estimate)").count() >= 1
    last = bench.sparsity.input_value()
    shown.locator(".stage .live .trail-target").nth(1).dispatch_event("click")
    expect(bench.sparsity).not_to_have_value(last)
    bench.settle()
    assert dots.count() >= 3  # it stays, and one step leads back
    shown.get_by_role("button", name="undo").click()
    expect(bench.sparsity).to_have_value(last)
    bench.settle()
    before = dots.count()
    bench.drag(bench.sparsity, 0.9, 0.88, steps=1)
    bench.settle()
    assert dots.count() < before


def test_the_picture_shows_the_presets_and_a_click_selects_one(open_bench, watched):
    bench = open_bench(SMALL)
    texts = [text.replace("<br>", " ") for text in bench.trace("presets")["text"]]
    assert texts == ["8 bits", "half pruned", "small", "tiny"]
    names = watched.evaluate("document.querySelector('.stage .plot').data.map((x) => x.name)")
    trace = watched.locator(".stage .scatterlayer .trace").nth(names.index("presets"))
    trace.locator("path.point").nth(2).click(force=True)
    expect(bench.sparsity).to_have_value("0.5")
    size = bench.trace("presets")["x"][2]
    expect(bench.number("bytes")).to_have_text(f"{size:,}\u202fbytes")
    bench.settle()
    assert bench.point["bytes"] == size
    assert bench.point["height"] == pytest.approx(bench.trace("presets")["y"][2])


def test_the_most_useful_reason_is_first_and_a_button_shows_the_others(show, shown):
    bench = show("?m=fashion/lenet5&prune.sparsity=0.95&quantize.bits=3")
    bench.settle()
    expect(shown.locator(".card .reason")).to_contain_text("is a large loss")
    more = shown.locator(".card .reason").get_by_role("button")
    expect(more).to_have_text(re.compile(r"^\d+ more"))
    label = more.inner_text()
    reasons = shown.locator(".card .reasons")
    expect(reasons).to_be_hidden()
    more.click()
    expect(more).to_have_attribute("aria-expanded", "true")
    expect(reasons).to_be_visible()
    count = reasons.locator("li").count()
    assert label.startswith(f"{count} more")
    expect(more).to_have_text("show less")
    assert "Smaller, but not faster here" in reasons.inner_text()
    more.click()
    expect(reasons).to_be_hidden()
    expect(more).to_have_text(label)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [(390, 844), (640, 400)], ids=["phone", "zoom"])
def test_numbers_and_picture_stay_visible_while_a_slider_moves(show, shown, size, theme):
    shown.set_viewport_size({"width": size[0], "height": size[1]})
    bench = show(f"{SMALL}&theme={theme}")
    bench.settle()
    shown.mouse.wheel(0, 120)
    bench.drag(bench.sparsity, 0, 0.8, release=False)
    bench.settle()
    summary = shown.locator(".summary")
    strip, slider = summary.bounding_box(), bench.sparsity.bounding_box()
    assert strip["y"] >= 0
    assert strip["y"] + strip["height"] <= slider["y"]
    assert strip["width"] == size[0]
    assert slider["y"] + slider["height"] <= size[1]
    for name in ("accuracy", "change", "bytes", "times"):
        part = summary.locator(f".{name}")
        assert part.inner_text() == bench.number(name).inner_text()
        assert part.evaluate("(node) => node.scrollWidth <= node.clientWidth"), name
    expect(summary.locator("svg .you")).to_be_visible()
    shown.mouse.up()


def test_wide_windows_have_no_strip(show, shown):
    show(SMALL)
    expect(shown.locator(".summary")).to_be_hidden()


@pytest.mark.parametrize("width", [1280, 1000, 800])
def test_the_range_of_an_estimate_does_not_move_the_buttons(show, shown, width):
    shown.set_viewport_size({"width": width, "height": 800})
    bench = show("?m=fashion/lenet5&prune.sparsity=0.9&quantize.bits=4")
    bench.settle()
    button = shown.get_by_role("button", name="download")
    before = button.bounding_box()["y"]
    texts = {"interval": "33.2\u202f% to 34.1\u202f%", "status": "estimate · 1,176 of 5,000 images"}
    for name, text in texts.items():
        bench.number(name).evaluate("(node, text) => (node.textContent = text)", text)
    assert button.bounding_box()["y"] == before


# Python does not get the values until the test calls `window.deliver`.
HOLD_VALUES = """async () => {
  const manager = window.jupyterapp.widgetManager;
  const ids = [...manager.registeredModels];
  const models = await Promise.all(ids.map((id) => manager.get_model(id)));
  const app = models.find((model) => model.get("part") === "app");
  const send = app.save;
  app.save = () => {};
  window.deliver = () => { app.save = send; };
}"""


def test_a_change_is_said_to_be_measured_before_python_answers(show, shown):
    bench = show(SMALL)
    bench.settle()
    before = bench.number("accuracy").inner_text()
    shown.evaluate(HOLD_VALUES)
    bench.sparsity.fill("0.6")
    expect(bench.number("status")).to_have_text("measuring")
    assert bench.number("accuracy").inner_text() == before
    shown.evaluate("window.deliver()")
    bench.sparsity.fill("0.7")
    bench.settle()
    expect(bench.number("status")).to_contain_text("exact")
    expect(shown.locator(".card")).not_to_have_class(re.compile("waiting"))
