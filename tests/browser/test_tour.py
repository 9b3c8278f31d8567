"""The guided tour in a browser: it explains, waits for the hand, and changes nothing for good."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_accessibility import violations

pytestmark = pytest.mark.browser

OWN = "?m=fashion/lenet-300-100&prune.sparsity=0.3"
TOUR = "?m=fashion/lenet5&tour=1"
COVERED = """() => {
  const bubble = document.querySelector(".bubble").getBoundingClientRect();
  const inside = bubble.left >= 0 && bubble.top >= 0
    && bubble.right <= innerWidth && bubble.bottom <= innerHeight;
  const numbers = [...document.querySelectorAll(".summary, .card .big")]
    .find((node) => node.checkVisibility());
  const explained = [numbers, ...document.querySelectorAll(".tour-target, .stage .plot")];
  const covered = explained.filter((node) => {
    const box = node.getBoundingClientRect();
    const across = Math.min(box.right, bubble.right) - Math.max(box.left, bubble.left);
    const up = Math.min(box.bottom, bubble.bottom) - Math.max(box.top, bubble.top);
    return across > 1 && up > 1;
  });
  const text = document.createRange();
  text.selectNodeContents(document.querySelector(".bubble p"));
  const end = document.querySelector(".bubble .end").getBoundingClientRect();
  const cut = [...text.getClientRects()].some(({ right, top, bottom }) =>
    right > end.left && top < end.bottom && bottom > end.top);
  const wrong = [...(inside ? [] : ["outside"]), ...(cut ? ["text below the button"] : [])];
  return [...covered.map((node) => node.className), ...wrong];
}"""


@pytest.fixture
def bubble(shown):
    return shown.get_by_role("dialog", name="guided tour")


def press(bubble, name):
    bubble.get_by_role("button", name=name).click()


def test_the_tour_waits_for_the_hand_and_restores_the_recipe(show, shown, bubble):
    bench = show(OWN)
    bench.settle()
    shown.get_by_role("button", name="tour", exact=True).click()
    count, done, following = (
        bubble.locator(".count"),
        bubble.get_by_role("status"),
        bubble.get_by_role("button", name="next"),
    )
    expect(count).to_have_text("1 of 6")
    expect(following).to_be_focused()  # right after the control that it is about
    shown.keyboard.press("Shift+Tab")
    shown.keyboard.press("Shift+Tab")
    expect(bench.sparsity).to_be_focused()
    expect(shown.locator(".tour-target .tip")).to_be_hidden()  # the bubble is there
    bench.sparsity.fill("0.4")
    bench.settle()
    expect(done).to_have_text("")  # the task is 50 %
    bench.sparsity.fill("0.5")
    expect(done).to_have_text("done")
    following.click()
    expect(count).to_have_text("2 of 6")
    expect(done).to_have_text("")
    bench.bits(4)
    expect(done).to_have_text("done")
    press(bubble, "back")
    expect(count).to_have_text("1 of 6")
    expect(done).to_have_text("done")
    expect(following).to_be_focused()
    shown.keyboard.press("Enter")
    shown.keyboard.press("Enter")
    expect(count).to_have_text("3 of 6")
    shown.get_by_role("button", name="undo").click()
    expect(done).to_have_text("done")
    following.click()
    bench.choose("distillation: temperature", 4)
    expect(done).to_have_text("done")
    following.click()
    shown.get_by_label("maximum size").fill("100")
    shown.keyboard.press("Tab")
    expect(done).to_have_text("done")
    following.click()
    expect(bubble).to_contain_text("Then try")
    press(bubble, "finish")
    expect(bubble).to_be_hidden()
    expect(shown.get_by_role("button", name="tour", exact=True)).to_be_focused()
    expect(bench.readout).to_have_text(re.compile(r"^30"))
    expect(shown.get_by_label("maximum size")).to_have_value("")
    expect(shown).to_have_url(re.compile(r"m=fashion/lenet-300-100&prune\.sparsity=0\.3$"))
    shown.get_by_role("button", name="undo").click()  # to the last step of the tour
    expect(bench.readout).to_have_text(re.compile(r"^50"))
    expect(shown.get_by_role("button", name="undo")).to_be_disabled()


@pytest.mark.parametrize("size", [(1280, 800), (900, 700), (390, 844)])
def test_bubbles_cover_nothing_that_they_explain(show, shown, bubble, size):
    width, height = size
    shown.set_viewport_size({"width": width, "height": height})
    show(TOUR).settle()
    covered = {}
    for step in range(1, 7):
        expect(bubble.locator(".count")).to_have_text(f"{step} of 6")
        covered[step] = shown.evaluate(COVERED)
        if step in (1, 6):
            assert violations(shown, ".bubble") == []
        if step < 6:
            press(bubble, "next")
    assert covered == {step: [] for step in range(1, 7)}
    shown.keyboard.press("Escape")
    expect(bubble).to_be_hidden()
    expect(shown).not_to_have_url(re.compile("tour"))


def test_the_tour_ends_when_another_page_or_model_opens(show, shown, bubble):
    bench = show("?m=reviews/bag")
    start = shown.get_by_role("button", name="tour", exact=True)
    start.click()
    expect(bubble).to_contain_text("1 of 5")
    bench.sparsity.fill("0.9")
    shown.get_by_role("navigation").get_by_role("button", name="Choose").click()
    expect(bubble).to_be_hidden()
    shown.get_by_role("navigation").get_by_role("button", name="Compress").click()
    expect(bench.readout).to_have_text(re.compile(r"^0"))
    start.click()
    bench.sparsity.fill("0.9")
    shown.get_by_label("model", exact=True).select_option("reviews/gru")
    expect(bubble).to_be_hidden()
    expect(bench.readout).to_have_text(re.compile(r"^0"))
    start.click()
    press(bubble, "end the tour")
    expect(bubble).to_be_hidden()
