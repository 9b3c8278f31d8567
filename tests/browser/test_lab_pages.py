"""Every page of the app in JupyterLab: no texts overlap or are cut, and axe-core finds nothing."""

from __future__ import annotations

import pytest

from tests.browser.lab import OVERLAPS
from tests.browser.test_accessibility import violations

pytestmark = pytest.mark.browser


def problems(page, *widths, only_colors=False):
    """Return what is wrong with each page of the app, by its name and the width of the window."""
    result = {}
    for link in page.locator(".pages button").all():
        link.click()
        name = link.inner_text()
        page.locator(".page:visible :is(.plot[data-seq], .empty)").first.wait_for()
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(200)
            texts = page.evaluate(OVERLAPS, ".wb")
            result[f"{name}, {width} px"] = texts["found"] + texts["wide"]
        result[f"{name}, axe"] = violations(page, ".wb", only_colors=only_colors)
    return result


def test_all_pages_are_legible_in_both_themes(page, lab):
    page.set_viewport_size({"width": 1280, "height": 900})
    lab.run(page, "import workbench as wb\nwb.dashboard()")
    page.locator(".wb[data-ready] .stage .plot[data-seq]").wait_for()
    light = problems(page, 1000, 1280, 1600)
    assert len(light) >= 24
    assert {place: what for place, what in light.items() if what} == {}
    lab.set_theme(page, "dark")
    page.locator('.wb[data-theme="dark"]').wait_for()
    dark = problems(page, only_colors=True)  # the elements are the same
    assert {place: what for place, what in dark.items() if what} == {}
