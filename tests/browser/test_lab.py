"""The dashboard notebook in JupyterLab."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from tests.browser.conftest import drag

pytestmark = pytest.mark.browser


def test_the_page_works_in_jupyterlab(page, lab):
    lab.open_file(page, "dashboard.ipynb")
    lab.run_all_cells(page)
    page.locator(".wb[data-ready] .stage .plot[data-seq]").wait_for()
    cells = page.locator(".jp-CodeCell").count()
    slider = page.get_by_role("slider", name="sparsity")
    slider.fill("0.9")
    requested = page.locator(".card dd").first
    expect(requested).to_have_text("90.0\u202f%")
    slider.fill("0.8")  # the second event arrives on another thread of the kernel
    expect(requested).to_have_text("80.0\u202f%")
    slider.focus()
    slider.press("ArrowRight")  # JupyterLab has shortcuts of its own for arrows
    expect(slider).to_have_value("0.81")
    slider.press("ArrowLeft")
    expect(requested).to_have_text("80.0\u202f%")
    drag(page, slider, 0.8, 0.3)
    drag(page, slider, 0.3, 0.5)
    undo = page.get_by_role("button", name="undo")
    undo.click()
    undo.click()
    expect(slider).to_have_value("0.8")  # one drag is one step
    expect(requested).to_have_text("80.0\u202f%")
    assert "prune" not in page.url
    page.get_by_role("tab", name="recipe").click()
    expect(page.locator(".texts pre").first).to_have_text(re.compile(r'"sparsity":0\.8'))
    slider.press("Control+z")  # a run of keys before
    expect(slider).not_to_have_value("0.8")
    slider.press("Control+Shift+z")
    expect(slider).to_have_value("0.8")
    page.locator(".wb .card .bytes").click()  # a text, and no control
    page.keyboard.press("Control+z")
    expect(slider).not_to_have_value("0.8")
    page.locator(".wb .stage .plot").click(position={"x": 3, "y": 3})
    page.keyboard.press("Control+Shift+z")
    expect(slider).to_have_value("0.8")
    page.keyboard.press("a")  # would add a cell
    expect(page.locator(".jp-CodeCell")).to_have_count(cells)
    cell = page.locator(".jp-CodeCell .cm-content").first
    cell.click()
    page.keyboard.type("# new")
    expect(cell).to_contain_text("# new")
    page.keyboard.press("Control+z")  # belongs to the cell
    expect(cell).not_to_contain_text("# new")
    expect(slider).to_have_value("0.8")


def test_two_apps_have_different_landmarks(page, lab):
    lab.run(
        page,
        "from workbench.panels.ui import App; from workbench.session import Session",
        "App(Session())",
        "App(Session())",
    )
    page.locator(".wb[data-ready] .stage .plot[data-seq]").nth(1).wait_for()
    assert page.evaluate(AXE_SCRIPT + "; 'axe' in window")
    rule = {"runOnly": {"type": "rule", "values": ["landmark-unique"]}}
    run = "async (rule) => (await axe.run('.jp-Notebook', rule)).violations.length"
    assert page.evaluate(run, rule) == 0
    page.locator(".wb").nth(1).get_by_role("button", name="Choose", exact=True).click()
    page.locator(".wb").nth(0).get_by_role("button", name="Choose", exact=True).click()
    expect(page.locator(".wb form:visible")).to_have_count(2)
    expect(page.get_by_role("form", name="Which recipe suits me? (2)")).to_be_visible()
    assert page.evaluate(run, rule) == 0


def test_jupyterlab_asks_nothing_about_news(new_page, lab):
    page = new_page
    lab.run(page, "print(6 * 7)")
    page.get_by_text("42", exact=True).wait_for()
    page.wait_for_timeout(2000)  # JupyterLab asks once everything is loaded
    assert page.get_by_text("Jupyter news").count() == 0
