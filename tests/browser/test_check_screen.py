"""The screens around an upload: the check before training, what was learned, and trying it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from playwright.sync_api import expect
from safetensors.torch import save

from tests.browser.test_accessibility import violations
from tests.browser.test_upload import LONG, SMALL, choose_file

pytestmark = pytest.mark.browser
WINDOWS = [("light", 1280, 800), ("dark", 1280, 800), ("light", 390, 844)]
THEME = "(theme) => { document.querySelector('.wb').dataset.theme = theme; }"


def ship(rows=200):
    """Passengers: a missing age in every fifth row, one odd fare, and a column that tells all."""
    lines = ["sex,age,fare,ticket,alive,survived"]
    for n in range(rows):
        survived = int(n * 7 % 10 < 4)
        age = "" if n % 5 == 0 else 20 + n % 40
        fare = "12000 approx" if n == 7 else n % 90
        lines.append(f"{'mf'[survived]},{age},{fare},T{n:04d},{'ny'[survived]},{survived}")
    return "\n".join(lines).encode()


def wide(columns=999, rows=60):
    """Columns of different numbers; the first one has the same value in every row."""
    names = ",".join(f"sensor {n}" for n in range(columns))
    cells = [[str(n * k * (n + k) % 1009) for n in range(columns)] for k in range(rows)]
    lines = (",".join([*row, str(k % 2)]) for k, row in enumerate(cells))
    return "\n".join([f"{names},label", *lines]).encode()


ILLEGIBLE = """(selector) => [...document.querySelectorAll(`${selector} *:not(option)`)]
  .filter((x) => x.checkVisibility() && x.textContent.trim())
  .filter((x) => parseFloat(getComputedStyle(x).fontSize) < 13
    || x.getBoundingClientRect().right > innerWidth + 1)
  .map((x) => x.textContent.slice(0, 40))"""


def look_at(page, selector):
    """Check the open screen in all windows: axe-core, and no text is small or cut off."""
    for theme, width, height in WINDOWS:
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(THEME, theme)
        where = (selector, theme, width)
        assert (where, violations(page, selector)) == (where, [])
        assert (where, page.evaluate(ILLEGIBLE, selector)) == (where, [])
    page.set_viewport_size({"width": 1280, "height": 800})
    page.evaluate(THEME, "light")


def test_from_the_check_to_a_prediction(visit, visited):
    bench = visit(SMALL)
    visited.get_by_text("your data", exact=True).click()
    choose_file(visited, "ship.csv", ship())
    screen = visited.locator("dialog.check[open]")
    expect(screen).to_contain_text("200 rows · 6 columns", timeout=LONG)
    rows = screen.get_by_role("row")
    expect(rows.filter(has=visited.get_by_role("rowheader", name="fare"))).to_contain_text(
        "“12000 approx” in line 9"
    )
    expect(rows.filter(has=visited.get_by_role("rowheader", name="age"))).to_contain_text("40")
    look_at(visited, "dialog.check[open]")
    fare = screen.get_by_role("checkbox", name="use: fare")
    fare.focus()
    visited.keyboard.press("Space")
    expect(screen).to_have_attribute("data-edit", "1")
    expect(fare).to_be_focused()
    expect(fare).not_to_be_checked()
    screen.get_by_role("button", name="leave “alive” out").click()
    expect(screen).to_have_attribute("data-edit", "2")
    expect(screen.get_by_role("button", name="leave “alive” out")).to_have_count(0)
    screen.get_by_label("What should the model predict?").select_option("age")
    expect(screen.get_by_role("radio", name="a number")).to_be_checked()
    screen.get_by_label("What should the model predict?").select_option("survived")
    expect(screen.get_by_role("radio", name="classes")).to_be_checked()
    screen.get_by_role("button", name="train").click()
    learned = visited.locator("dialog.learned[open]")
    expect(learned).to_contain_text("by guessing", timeout=LONG)
    expect(learned).to_contain_text("on new data, probably")
    look_at(visited, "dialog.learned[open]")
    learned.get_by_role("button", name="compress it").click()
    bench.bits(8)
    bench.settle()
    visited.get_by_role("button", name="try it").click()
    trial = visited.locator("dialog.trial[open]")
    expect(trial.locator(".trial-answer")).to_contain_text("survived: ")
    trial.get_by_label("sex").fill("f")
    expect(trial.locator(".trial-answer")).to_have_text("survived: 1")
    choose_file(visited, "new.csv", ship(60), "dialog.trial")
    expect(trial).to_contain_text("60 predictions")
    expect(trial).to_contain_text("10 more rows")
    look_at(visited, "dialog.trial[open]")
    with visited.expect_download() as download:
        trial.get_by_role("button", name="save the predictions").click()
    assert download.value.suggested_filename == "predictions.csv"
    visited.keyboard.press("Escape")
    visited.get_by_role("button", name="download").click()
    visited.get_by_text("show the names and values").click()
    assert violations(visited, ".contents") == []
    visited.locator(".contents").get_by_role("button", name="close").click()


def test_a_checkpoint_is_checked_and_saved(visit, visited):
    tensors = {f"layers.{n}.weight": torch.randn(64, 96) for n in range(30)}
    tensors |= {"stft_conv.weight": torch.randn(8, 1, 16), "norm.bias": torch.randn(64)}
    content = save(tensors)
    visit(SMALL)
    visited.get_by_text("your data", exact=True).click()
    choose_file(visited, "voice.safetensors", content)
    screen = visited.locator("dialog.check[open]")
    expect(screen).to_contain_text("32 tensors", timeout=LONG)
    expect(screen.get_by_role("row").filter(has_text="norm.bias")).to_contain_text("fewer than two")
    look_at(visited, "dialog.check[open]")
    screen.get_by_role("radio", name="4 bits").check()
    expect(screen).to_have_attribute("data-edit", "1")
    fixed = screen.get_by_role("checkbox", name="rounded: stft_conv.weight")
    fixed.focus()
    visited.keyboard.press("Space")
    expect(screen).to_have_attribute("data-edit", "2")
    expect(fixed).to_be_focused()
    row = screen.get_by_role("row").filter(has_text="stft_conv.weight")
    expect(row).to_contain_text("you leave it out")
    with visited.expect_download() as download:
        screen.get_by_role("button", name="compress and save").click()
    size = Path(download.value.path()).stat().st_size
    assert download.value.suggested_filename == "voice-4-bit.safetensors"
    status = visited.locator(".upload").get_by_role("status")
    expect(status).to_contain_text(f"{size:,}\u202fbytes instead of {len(content):,}")


def test_a_table_of_a_thousand_columns_keeps_its_place(visit, visited):
    visited.get_by_text("your data", exact=True).click()
    choose_file(visited, "wide.csv", wide())
    screen = visited.locator("dialog.check[open]")
    expect(screen).to_contain_text("1,000 columns", timeout=LONG)
    place = screen.locator(".scroll")
    place.evaluate("(node) => { node.scrollTop = 9000; }")
    before = place.evaluate("(node) => node.scrollTop")
    assert before > 1_000
    use = screen.get_by_role("checkbox", name="use: sensor 300", exact=True)
    use.evaluate("(node) => node.click()")
    expect(screen).to_have_attribute("data-edit", "1", timeout=LONG)
    expect(use).not_to_be_checked()
    assert place.evaluate("(node) => node.scrollTop") == before
    screen.get_by_role("radio", name="not used (2)").check()  # the constant one too
    expect(screen.locator("tbody tr")).to_have_count(2)
    visited.keyboard.press("Escape")
    expect(screen).to_have_count(0)


def test_the_screen_in_jupyterlab_takes_the_keys(page, lab):
    lab.open_file(page, "dashboard.ipynb")
    lab.run_all_cells(page)
    page.locator(".wb[data-ready]").wait_for()
    cells = page.locator(".jp-Cell").count()
    page.get_by_text("your data", exact=True).click()
    choose_file(page, "ship.csv", ship())
    screen = page.locator("dialog.check[open]")
    expect(screen).to_be_visible(timeout=LONG)
    box = screen.bounding_box()
    assert box["width"] > 1_000
    screen.get_by_role("checkbox", name="use: age").focus()
    for key in ("b", "d", "d", "Space"):  # new cell, delete cell, scroll
        page.keyboard.press(key)
    expect(screen.get_by_role("checkbox", name="use: age")).not_to_be_checked()
    assert page.locator(".jp-Cell").count() == cells
    assert violations(page, "dialog.check[open]") == []
