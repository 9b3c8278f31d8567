"""Columns and targets as users really have them: what is used, and what is said about it."""

from __future__ import annotations

import random

import numpy as np
import pytest

import workbench as wb
from tests.field.test_table_cases import BUYS, ROWS, column, csv, report
from tests.raises import raises
from workbench.custom.tables.read import read, read_cells


def inspect(text, **options):
    return wb.inspect_table(text.encode(), **options)


def test_spellings_that_differ_in_case_and_spaces_are_one_category():
    words = ["yes", "Yes", "YES ", "yes", "no", "No", "no", " no"]
    text = csv("a,b,buys", lambda n: (n * 1.5, ["New York", "new  york"][n % 2], words[n % 8]))
    result = inspect(text)
    assert dict(result.target.classes) == {"no": 60, "yes": 60}
    assert column(text, "b").words == ("New York",) or column(text, "b").words == ("new  york",)
    assert any("capital letters" in w for w in result.warnings)


@pytest.mark.parametrize(
    ("name", "cells", "reason"),
    [
        ("customer", lambda n: f"c-{n * 7919 % 10_000:05x}", "identifies rows"),
        ("customerID", lambda n: n * 7919 % 100_003, "identifies rows"),
        ("order_id", lambda n: 10_000 - n * 3, "identifies rows"),
        ("x", lambda n: n, "count the rows"),
        ("Unnamed: 0", lambda n: n + 1, "count the rows"),
        ("", lambda n: n + 1000, "count the rows"),
        ("same", lambda n: "x", "the same value"),
        ("same", lambda n: 7, "the same value"),
        ("nothing", lambda n: "", "empty"),
    ],
)
def test_columns_are_left_out_for_their_true_reason(name, cells, reason):
    text = csv(f"{name},b,y", lambda n: (cells(n), n * 31 % 17, n % 2))
    first = inspect(text).columns[0]
    assert not first.used
    assert reason in first.note


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("year", lambda n: 1900 + n),
        ("amount", lambda n: n * 7919 % 100_003),
        ("store_id", lambda n: n % 9),
        ("price", lambda n: n * 1.25),
        ("review", lambda n: f"this is the text number {n}"),
        ("city", lambda n: f"city {n % 60}"),
    ],
)
def test_columns_that_an_expert_would_use_are_used(name, cells):
    text = csv(f"{name},b,y", lambda n: (cells(n), n * 31 % 17, n % 2))
    assert report(text, name).used


def test_numbers_of_mixed_conventions_are_read_cell_by_cell():
    values = [round(1234.5 + n * 37.13, 2) for n in range(ROWS)]
    written = [f"{value:,.2f}" for value in values]
    swapped = [cell.translate(str.maketrans(".,", ",.")) for cell in written]
    text = csv("a,b,y", lambda n: (f'"{(written, swapped)[n % 2][n]}"', n * 31 % 17, n % 2))
    result = inspect(text)
    assert column(text, "a").numbers.tolist() == values
    assert any("each cell is read by itself" in w and written[0] in w for w in result.warnings)


def test_numbers_of_mixed_conventions_with_two_readings_are_missing():
    cells = ["1.234,5", "1,234.5", "17", "1,5", "2.5"]
    text = csv("a,b,y", lambda n: (f'"{cells[n % 5]}"' if n != 8 else '"1,234"', n % 17, n % 2))
    result = report(text, "a")
    assert (result.type, result.unreadable) == ("number", 1)
    assert [cell.text for cell in result.examples] == ["1,234"]
    assert column(text, "a").numbers[:5].tolist() == [1234.5, 1234.5, 17.0, 1.5, 2.5]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (lambda n: f"{100 + n}/{60 + n % 31}", "split it into columns"),
        (lambda n: f"{100 + n} x {60 + n % 31} cm", "split it into columns"),
        (lambda n: f'"{(f"{n}.100,5", f"{n},100.5", f"1,{100 + n}")[n % 3]}"', "separators"),
        (lambda n: f"{n}.5" if n % 3 else f"about {n}", "of its values are numbers"),
        (lambda n: f"K{n:04}" if n % 2 else f"{n:04}", "identifies rows"),
        (lambda n: f"555-{n:04}", "identifies rows"),
    ],
)
def test_columns_of_numbers_that_are_not_read_do_not_identify_rows(cells, reason):
    text = csv("v,b,y", lambda n: (cells(n), n * 31 % 17, n % 2))
    first = inspect(text).columns[0]
    assert reason in first.note
    assert ("identifies" in first.note) == ("identifies" in reason)


def test_row_numbers_are_used_if_nothing_else_is_left():
    text = csv("t,y", lambda n: (n, n * 1.5 % 7))
    assert report(text, "t").used


def test_columns_that_are_mostly_empty():
    text = csv("deck,b,y", lambda n: (n % 30 if n % 5 == 0 else "", n * 1.5, n % 2))
    result = report(text, "deck")
    assert (result.used, result.missing) == (True, 96)
    assert "mostly empty" in result.note
    words = csv("deck,b,y", lambda n: ("ABC"[n % 3] if n % 5 == 0 else "", n * 1.5, n % 2))
    assert "a value of its own" in report(words, "deck").note
    assert inspect(text).rows_used == ROWS
    assert inspect(text, missing="leave_out").rows_used == 24


def test_whole_numbers_are_classes_or_a_number():
    text = csv("a,b,kids", lambda n: (n * 1.5, n % 7, 19 if n == 5 else n % 9))
    automatic, classes = inspect(text), inspect(text, as_number=False)
    assert automatic.target.as_number
    assert (automatic.target.can_be_number, automatic.target.can_be_classes) == (True, True)
    assert classes.target.rare == ("19",)
    assert any("“19”" in sentence for sentence in classes.warnings)
    assert inspect(text, as_number=False, leave_out_rare=True).rows_used == ROWS - 1
    assert not inspect(csv("a,b,q", lambda n: (n * 1.5, n % 7, n % 6))).target.as_number


@pytest.mark.parametrize("classes", [("None", "Apnea"), ("-", "+"), ("NA", "EU"), ("–", "+")])
def test_classes_that_elsewhere_are_no_value(classes):
    text = csv("a,b,disorder", lambda n: (n * 1.5, n % 7, classes[n % 2]))
    assert dict(inspect(text).target.classes) == dict.fromkeys(classes, 60)


@pytest.mark.parametrize("missing", ["-", "NA"])
def test_cells_of_a_target_that_are_no_value(missing):
    text = csv("a,b,kind", lambda n: (n * 1.5, n % 7, (missing, "x", "y")[n % 3]))
    result = inspect(text)
    assert dict(result.target.classes) == {"x": 40, "y": 40}
    assert result.rows_used == 80


def test_rows_without_a_target_are_left_out_and_said():
    text = csv("a,b,y", lambda n: (n * 1.5, n % 7, "" if n % 10 == 0 else "pq"[n % 2]))
    result = inspect(text)
    assert (result.rows_read, result.rows_used) == (ROWS, 108)
    assert any("12 rows without a value of “y”" in sentence for sentence in result.warnings)


def test_the_share_of_the_majority_is_said():
    text = csv("a,b,fraud", lambda n: (n * 1.5, n % 7, int(n % 20 == 0)))
    assert any("95.0" in sentence and "“0”" in sentence for sentence in inspect(text).warnings)


@pytest.mark.parametrize(
    ("cells", "target", "as_number"),
    [
        (lambda n, y: ["no", "yes"][y], lambda n: n * 7 % 5 // 3, False),
        (lambda n, y: y * 10, lambda n: n * 7 % 5 // 3, False),
        (lambda n, y: "x" if y else "", lambda n: n * 7 % 5 // 3, False),
        (lambda n, y: y * 1.1 + 3, lambda n: n * 7919 % 1013 / 4, True),
        (lambda n, y: -(y**3), lambda n: n * 7919 % 1013 / 4, True),
    ],
)
def test_a_column_that_alone_tells_the_target_is_said(cells, target, as_number):
    text = csv("alive,b,y", lambda n: (cells(n, target(n)), n * 31 % 17, target(n)))
    result = inspect(text)
    assert result.target.as_number == as_number
    assert any("“alive” alone predicts “y”" in sentence for sentence in result.warnings)
    assert not any("alone" in w for w in inspect(text, leave_out=("alive",)).warnings)


CUTS = {
    "a score": (lambda v: v, lambda v: v > 5),
    "falling": (lambda v: -v, lambda v: v > 5),
    "three grades": (lambda v: v**3, lambda v: "low" if v < 2 else "high" if v > 8 else "middle"),
    "a rare class": (lambda v: v, lambda v: v > 9.3),
    "a few errors": (lambda v: 9 - v if v == 8.88 else v, lambda v: v > 5),
}


@pytest.mark.parametrize("name", CUTS)
def test_a_threshold_that_alone_tells_the_target_is_said(name):
    cells, target = CUTS[name]
    values = [n * 7919 % 1013 / 100 for n in range(700)]
    rows = [f"{cells(v):.4f},{n * 31 % 17},{target(v)}" for n, v in enumerate(values)]
    result = inspect("\n".join(["score,b,y", *rows]))
    assert result.leaks == ("score",)
    assert result.warnings[0] == "“score” alone predicts “y”: leave it out?"


def clusters(rng, n):
    return rng.gauss(2, 0.3) if n % 2 else rng.gauss(6, 0.3), n % 2


NO_CUTS = {
    "clusters far apart": clusters,
    "three percent of errors": lambda rng, n: (
        (v := rng.uniform(0, 10)),
        (v > 5) ^ (rng.random() < 0.03),
    ),
    "overlapping": lambda rng, n: (rng.gauss(4 * (n % 2), 1), n % 2),
    "a range inside": lambda rng, n: ((v := rng.uniform(0, 10)), 3 < v < 7),
    "four cases": lambda rng, n: (n + 0.5 * rng.random(), n > 695),
}


@pytest.mark.parametrize("name", NO_CUTS)
def test_strong_numbers_are_no_leaks(name):
    rng = random.Random(1)
    rows = [NO_CUTS[name](rng, n) for n in range(700)]
    lines = [f"{value:.4f},{n * 31 % 17},{y}" for n, (value, y) in enumerate(rows)]
    assert inspect("\n".join(["score,b,y", *lines])).leaks == ()


def test_strong_columns_are_no_leaks():
    rng = random.Random(0)
    text = csv("a,b,y", lambda n: (n % 2 if rng.random() < 0.95 else 1 - n % 2, n * 1.7, n % 2))
    assert not any("alone" in w for w in inspect(text).warnings)


# --- frames --------------------------------------------------------------------------------


class Series(list):
    def tolist(self):
        return list(self)


class Frame:
    """Like a DataFrame, as far as it is used."""

    def __init__(self, **columns):
        self.columns = [*columns]
        self.iloc = self
        self._columns = [Series(values) for values in columns.values()]

    def __getitem__(self, key):
        return self._columns[key[1]]


def test_frames_and_mappings():
    values = np.arange(ROWS) * 0.1
    city = [None if n % 10 == 0 else "ab"[n % 2] for n in range(ROWS)]
    when = [np.datetime64("2020-01-01") + n % 28 for n in range(ROWS)]
    columns = {"x": values, "city": city, "when": when, "y": [n % 2 == 0 for n in range(ROWS)]}
    for source in (columns, Frame(**columns)):
        table = read(source)
        assert [c.type for c in table.columns] == ["number", "category", "date", "category"]
        np.testing.assert_array_equal(table.columns[0].numbers, values)
        assert table.columns[1].missing == 12
        assert table.columns[3].words == ("False", "True")
        assert table.lines[0] == 2


@pytest.mark.parametrize("source", [7, None, [1, 2], {"a": [1]}, {"a": [1], "b": [1, 2]}])
def test_what_is_no_table(source):
    with pytest.raises(wb.WorkbenchError):
        wb.inspect_table(source)


def test_unknown_columns_are_named():
    with raises("table.unknown_column", "“kids”", "income"):
        inspect(BUYS, target="kids")
    with raises("table.unknown_column", "“kids”"):
        inspect(BUYS, leave_out=("kids",))


def test_another_target_than_the_last_column_is_said():
    text = csv("a,label,text", lambda n: (n * 1.5, "pq"[n % 2], f"these are words {n}"))
    result = inspect(text)
    assert result.target.name == "label"
    assert any("“text”, cannot be predicted: “label” is" in w for w in result.warnings)


def test_two_classes_are_classes_also_if_one_is_rare():
    result = inspect(csv("a,b,fraud", lambda n: (n * 1.5, n % 7, int(n in {3, 90}))))
    assert (result.target.as_number, result.target.rare) == (False, ("1",))


def test_other_choices_about_the_same_cells_give_what_a_fresh_reading_gives():
    text = csv("a,b,y", lambda n: (n * 1.5, n * 31 % 17, ["None", "Apnea"][n % 2]))
    cells = read_cells(text.encode())
    choices = ({}, {"target": "b"}, {"header": False}, {"target": "a", "leave_out": ("b",)}, {})
    for options in choices:
        assert wb.inspect_table(cells, **options) == inspect(text, **options)


def test_unknown_choices_are_refused():
    with raises("table.invalid_choice", "drop"):
        inspect(BUYS, missing="drop")
    assert inspect(BUYS, leave_out="age") == inspect(BUYS, leave_out=["age"])


@pytest.mark.parametrize("rows", [[7], [7, 90]])
@pytest.mark.parametrize("wrong", ["1e11", "-5,000,000,000"])
def test_a_target_far_from_all_others_is_named(rows, wrong):
    salary = lambda n: f'"{wrong}"' if n in rows else 50_000 + n * 7919 % 100_003  # noqa: E731
    warnings = inspect(csv("a,b,salary", lambda n: (n * 1.5, n * 31 % 17, salary(n)))).warnings
    sentence = next(w for w in warnings if "far from all other values" in w)
    assert all(f"“{wrong}” (line {row + 2})" in sentence for row in rows)


def test_targets_of_very_different_sizes_are_no_mistakes():
    draw = random.Random(0)
    values = [round(draw.lognormvariate(8, 3), 2) for _ in range(ROWS)]
    for cells in (values, [0] * 100 + values[:20]):
        warnings = inspect(csv("a,b,y", lambda n, c=cells: (n * 1.5, n * 31 % 17, c[n]))).warnings
        assert not any("far from" in sentence for sentence in warnings)


def test_fractions_next_to_percentages_are_named():
    text = csv("p,b,y", lambda n: (0.24 if n == 5 else f"{n * 7 % 90 + 5.2:.1f}%", n % 17, n % 2))
    sentence = next(w for w in inspect(text).warnings if "has no “%”" in w)
    assert "“0.24” (line 7)" in sentence
    text = csv("p,b,y", lambda n: (f"{n % 9 / 10}{'%' * (n % 2)}", n % 17, n % 2))
    assert not any("“%”" in w for w in inspect(text).warnings)
    text = csv("p,b,y", lambda n: (f"{n}%" if n % 9 else 0, n % 17, n % 2))
    assert not any("“%”" in w for w in inspect(text).warnings)
