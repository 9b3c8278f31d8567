"""The page in Chinese: the button, the address, and the room that the texts have."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.lab import OVERLAPS

pytestmark = pytest.mark.browser

ADDRESS = "?m=fashion/lenet-300-100&prune.sparsity=0.3&quantize.bits=4&level=explore"
LATIN = re.compile(r"\b[a-z]{4,}\b")
CHINESE = re.compile("[\u4e00-\u9fff]")
NAMES = re.compile(  # commands and names of products
    r"TensorRT|workbench setup \w+|\S+ -m pip install .*|onnxruntime(-gpu)?|tensorrt|config\.json|"
    r"Gemma 3 27B \(text\)|Phi-3 mini|logits"
)


@pytest.fixture(scope="module")
def opened(visit):
    """The page of this file, with a kernel of its own, whose language the tests change."""
    bench = visit(f"{ADDRESS}&lang=zh")
    bench.settle()
    return bench


def test_the_button_changes_the_language_and_a_reload_keeps_it(opened):
    page, html = opened.page, opened.page.locator("html")
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(html).to_have_attribute("lang", "zh")
    page.get_by_role("button", name="English", exact=True).click()
    expect(html).to_have_attribute("lang", "en")
    expect(page.get_by_role("navigation").get_by_role("button").first).to_have_text("Compress")
    assert "lang=en" in page.url
    page.get_by_role("button", name="中文", exact=True).click()
    expect(page.get_by_role("navigation").get_by_role("button").first).to_have_text("压缩")
    opened.settle()
    page.reload()
    opened.page.locator(".wb[data-ready] .stage .plot[data-seq]").wait_for()
    assert "lang=zh" in page.url
    expect(html).to_have_attribute("lang", "zh")
    opened.settle()


def test_the_page_has_no_english_text(opened):
    page = opened.page
    for button in page.get_by_role("navigation").get_by_role("button").all():
        button.click()
        opened.page.locator(".page:not([hidden])").wait_for()
        texts = page.locator(".wb").inner_text().splitlines()
        english = [text for text in texts if LATIN.search(NAMES.sub("", text))]
        assert english == [], button.inner_text()
    page.get_by_role("navigation").get_by_role("button").first.click()


@pytest.mark.parametrize("place", [0, 5], ids=["compress", "plan"])
def test_the_button_leaves_no_text_in_the_language_before(opened, place):
    page = opened.page
    page.get_by_role("navigation").get_by_role("button").nth(place).click()
    page.get_by_role("button", name="English", exact=True).click()
    back = page.get_by_role("button", name="中文", exact=True)
    expect(back).to_be_focused()
    texts = page.locator(".wb").inner_text().replace("中文", "")
    labels = page.evaluate(
        """() => [...document.querySelectorAll(".wb :is([aria-label], [title])")]
          .map((node) => `${node.title} ${node.ariaLabel}`)"""
    )
    labels.remove(" 中文")
    assert not CHINESE.search(texts)
    assert not [label for label in labels if CHINESE.search(label)]
    back.click()
    expect(page.locator("html")).to_have_attribute("lang", "zh")
    page.get_by_role("navigation").get_by_role("button").first.click()
    page.locator(".stage .plot[data-seq]").wait_for()


@pytest.mark.parametrize("width", [320, 390, 900, 1280, 1920])
def test_no_text_is_cut_or_covered(opened, width):
    page = opened.page
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(300)
    texts = page.evaluate(OVERLAPS, ":is(.stage, .card)")
    assert (texts["found"], texts["wide"]) == ([], [])
    assert page.evaluate(OVERLAPS, ".settings")["wide"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
