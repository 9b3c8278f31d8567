"""Uploading a table in a browser, from the file to a compressed model and back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SIZE
from tests.browser.test_accessibility import violations

pytestmark = pytest.mark.browser
SMALL = "?m=fashion/lenet-300-100"
LONG = 90_000  # ms


def table(rows):
    lines = (f"{n * 3},{n * 7 % 31},{'rare' if n % 31 < 9 else 'usual'}" for n in range(rows))
    return "\n".join(["size,other,kind", *lines]).encode()


def choose_file(page, name, data, where=".upload"):
    page.locator(f"{where} input[type=file]").set_input_files(
        {"name": name, "mimeType": "text/plain", "buffer": data}
    )


def train(page):
    """Train on what was uploaded, and close the figures that follow."""
    page.locator("dialog.check[open]").get_by_role("button", name="train").click(timeout=LONG)
    page.get_by_role("button", name="compress it").click(timeout=LONG)


def test_a_table_becomes_a_model_that_can_be_compressed(open_bench, watched):
    bench = open_bench(SMALL)
    watched.get_by_text("your data", exact=True).click()
    panel = watched.locator(".upload")
    expect(panel).to_contain_text(re.compile(r"20.0.MB and 200,000 rows"))
    expect(panel).to_contain_text("goes only to the computer that runs Workbench")
    for width in (390, 740, 820, 900, 1000, 1180, 1280):
        watched.set_viewport_size({"width": width, "height": 720})
        box = panel.locator(".menu-list").bounding_box()
        assert 0 <= box["x"] < box["x"] + box["width"] <= width
    choose_file(watched, "plants.csv", b"a,b\n3,4\n")
    answer = "The table has 1 row: at least 50 are needed."
    expect(panel.get_by_role("status")).to_have_text(answer, timeout=LONG)
    expect(watched.get_by_role("combobox", name="model")).to_have_value("fashion/lenet-300-100")
    choose_file(watched, "plants.csv", table(40_000))  # more than one chunk
    target = watched.get_by_role("combobox", name="What should the model predict?")
    expect(target).to_have_value("kind", timeout=LONG)
    watched.keyboard.press("Escape")
    expect(panel.locator(".drop")).to_be_visible()
    choose_file(watched, "plants.csv", table(300))
    expect(watched.locator(".check-head").first).to_contain_text("300 rows", timeout=LONG)
    train(watched)
    expect(watched.get_by_role("combobox", name="model")).to_have_value("custom/plants")
    bench.settle()
    before = bench.number("bytes").inner_text()
    bench.sparsity.fill("0.5")
    bench.settle()
    assert bench.number("bytes").inner_text() != before
    expect(bench.number("status")).to_contain_text("46")
    with watched.expect_download():
        watched.get_by_role("button", name="download").click()
        expect(watched.locator(".contents")).to_contain_text("names of 3 columns of plants.csv")
        watched.locator(".contents").get_by_role("button", name="download").click()


def test_a_reload_asks_for_the_same_file_and_goes_on(open_bench, watched):
    bench = open_bench(SMALL)
    watched.get_by_text("your data", exact=True).click()
    choose_file(watched, "plants.csv", table(120))
    train(watched)
    bench.settle()
    bench.sparsity.fill("0.5")
    bench.settle()
    watched.wait_for_function("location.search.includes('prune.sparsity=0.5')")
    questions = []
    watched.on("dialog", lambda dialog: (questions.append(dialog.type), dialog.accept()))
    watched.reload()
    assert questions == ["beforeunload"]
    banner = watched.get_by_role("alert")
    expect(banner).to_contain_text("was made from “plants.csv”", timeout=LONG)
    watched.set_viewport_size({"width": 390, "height": 720})
    assert banner.locator("span").bounding_box()["width"] > 250  # its buttons are below
    watched.set_viewport_size(SIZE)
    with watched.expect_file_chooser():
        banner.get_by_role("button", name="upload “plants.csv” again").click()
    choose_file(watched, "plants.csv", table(120))
    train(watched)
    expect(watched.get_by_role("combobox", name="model")).to_have_value("custom/plants")
    expect(bench.readout).to_have_text(re.compile("50"))
    expect(banner).to_be_hidden()


def test_a_model_can_be_removed(open_bench, watched):
    open_bench(SMALL)
    watched.get_by_text("your data", exact=True).click()
    choose_file(watched, "plants.csv", table(120))
    train(watched)
    watched.get_by_text("your data", exact=True).click()
    assert violations(watched, ".upload") == []
    watched.get_by_role("button", name="remove: plants").click()
    expect(watched.get_by_role("combobox", name="model")).to_have_value("fashion/lenet5")
    expect(watched.get_by_role("button", name="remove: plants")).to_have_count(0)
