"""What the page says about its results: each sentence and title fits what it stands over."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def gain(page):
    """Return by how many points a taught student beats the same network on labels alone."""
    text = page.locator(".comparison").first
    expect(text).to_contain_text("Taught by ResNet at T = 4")
    return float(re.search(r"\(([+\u2212][\d.]+)", text.inner_text())[1].replace("\u2212", "-"))


def test_the_teacher_helps_at_the_start_and_the_page_says_where_it_does_not(show):
    bench = show("?m=fashion/lenet-300-100")
    page = bench.page
    bench.choose("distillation: temperature", 4)
    few = gain(page)
    assert few > 5
    page.get_by_label("distillation: labels").select_option("1")
    expect(page.locator(".comparison").first).to_contain_text("20,000 labels alone")
    assert gain(page) < 0


def test_each_kind_of_changed_images_has_its_own_title(show):
    bench = show("?m=fashion/lenet-300-100&prune.sparsity=0.85&quantize.bits=3")
    bench.settle()
    page = bench.page
    page.get_by_role("tab", name="what changed").click()
    title = page.locator(".tab-body h2")
    for kind, finding in (
        ("became right", "images became right"),
        ("wrong in a different way", "images stayed wrong, with another class"),
        ("went wrong", "images went wrong"),
    ):
        button = page.get_by_role("group", name="predictions").get_by_role("button", name=kind)
        button.click()
        count = re.search(r"\((\d+)\)", button.inner_text())[1]
        expect(title).to_have_text(re.compile(rf"^{int(count):,} {finding}"))
