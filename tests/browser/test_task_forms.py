"""A task with recordings as examples, in a browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

SOUNDS = "?m=vowels/cnn&prune.sparsity=0.9&quantize.bits=3"


def test_changed_recordings_and_their_attribution(show, shown):
    show(SOUNDS).settle()
    shown.get_by_role("tab", name="what changed").click()
    shown.locator(".tab-body .plot .annotation-text").first.wait_for()
    title = shown.locator(".tab-body h2")
    expect(title).to_have_text(re.compile(r"^\d+ recordings went wrong, most.* Speaker"))
    shown.get_by_role("button", name="attribution").click()
    shown.locator(".tab-body .plot .colorbar").first.wait_for(state="attached")
    expect(title).to_have_text(re.compile(r"^Predicted Speaker "))
    shown.set_viewport_size({"width": 390, "height": 844})
    shown.wait_for_function(
        """() => {
          const plot = document.querySelector(".tab-body .plot");
          return document.documentElement.scrollWidth <= 390
            && plot.querySelector(".main-svg")?.clientWidth === plot.clientWidth;
        }"""
    )
