"""Parts of the page that a notebook combines, in JupyterLab."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_composition_moves_as_one(page, lab):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_viewport_size({"width": 1400, "height": 1400})
    lab.open_file(page, "compose_your_own.ipynb")
    lab.run_all_cells(page)
    plot = page.locator(".wb[data-ready] .stage .plot[data-seq]")
    plot.wait_for()
    slider = page.get_by_role("slider", name="sparsity")
    expect(slider).to_have_value("0.8")  # code in the notebook set it
    slider.fill("0.9")
    card = page.locator('.card[data-exact="true"]')
    expect(card.locator("dd").first).to_have_text("90.0\u202f%")
    size = card.locator('[data-number="bytes"]').inner_text()
    digits = "".join(filter(str.isdigit, size))
    drawn = "document.querySelector('.stage .live .you').dataset.x"
    page.wait_for_function(f"(size) => Math.round(10 ** {drawn}) === size", arg=int(digits))
    log = page.locator(".jp-OutputArea-output", has_text="Recipe(prune={'sparsity': 0.9}")
    expect(log.first).to_contain_text(f"{int(digits):,} bytes")
    boxes = [page.locator(f".workbench-{part}").bounding_box() for part in ("controls", "card")]
    assert boxes[0]["width"] >= 300
    assert boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"] + 1
    assert plot.bounding_box()["x"] >= boxes[0]["x"] + boxes[0]["width"]
    assert not errors
