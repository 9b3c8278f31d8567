"""Uploading a table in a browser, from the file to a compressed model."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
SMALL = "?m=fashion/lenet-300-100"
LONG = 90_000  # ms


def table(rows):
    lines = (f"{n},{n * 7 % 31},{'rare' if n % 31 < 9 else 'usual'}" for n in range(rows))
    return "\n".join(["number,other,kind", *lines]).encode()


def choose_file(page, name, data):
    page.locator(".upload input[type=file]").set_input_files(
        {"name": name, "mimeType": "text/plain", "buffer": data}
    )


def test_a_table_becomes_a_model_that_can_be_compressed(open_bench, watched):
    bench = open_bench(SMALL)
    watched.get_by_text("your data", exact=True).click()
    panel = watched.locator(".upload")
    expect(panel).to_contain_text(re.compile(r"20.0.MB and 200,000 rows"))
    choose_file(watched, "plants.csv", b"1,2\n3,4\n")
    expect(panel.get_by_role("status")).to_contain_text("must name the columns", timeout=LONG)
    expect(watched.get_by_role("combobox", name="model")).to_have_value("fashion/lenet-300-100")
    choose_file(watched, "plants.csv", table(40_000))  # more than one chunk
    expect(watched.get_by_role("combobox", name="target column")).to_have_value(
        "kind", timeout=LONG
    )
    choose_file(watched, "plants.csv", table(300))  # replaces the previous upload
    expect(panel).to_contain_text("300 rows, 3 columns", timeout=LONG)
    panel.get_by_role("button", name="train").click()
    expect(panel.get_by_role("status")).to_contain_text("Trained on 208", timeout=LONG)
    expect(watched.get_by_role("combobox", name="model")).to_have_value("custom/plants")
    watched.keyboard.press("Escape")
    bench.settle()
    before = bench.number("bytes").inner_text()
    bench.sparsity.fill("0.5")
    bench.settle()
    assert bench.number("bytes").inner_text() != before
    expect(bench.number("status")).to_contain_text("46")


def test_an_upload_can_be_cancelled_and_the_panel_closed(open_bench, watched):
    open_bench(SMALL)
    watched.get_by_text("your data", exact=True).click()
    choose_file(watched, "plants.csv", table(60))
    panel = watched.locator(".upload")
    panel.get_by_role("button", name="cancel").click()
    expect(panel.locator(".drop")).to_be_visible()
    watched.locator(".wb .name").click()
    expect(panel.locator(".drop")).to_be_hidden()
