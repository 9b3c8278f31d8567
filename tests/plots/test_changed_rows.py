"""Lists of changed examples of a table: the cells and the line of the file."""

from __future__ import annotations

import numpy as np

from workbench.analysis.comparison import Comparison
from workbench.analysis.number_comparison import NumberComparison
from workbench.domain import SourceRows, Task
from workbench.plots import changed_numbers, flips, number_comparison
from workbench.zoo.readable import ReadableExamples, row_text

ROWS = SourceRows(
    ("age", "city", "price"), [2, 3, 1007], [["31", "", "62"], ["Rome", "<b>", "Oslo"], ["5"] * 3]
)


def test_a_row_is_its_line_and_cells_without_the_target():
    assert row_text(ROWS, 2, "price") == "line 1,007: age 62, city Oslo"
    assert row_text(ROWS, 1, "price") == "line 3: city <b>"
    long = SourceRows(("note",), [2], [["z" * 10_000]])
    assert len(row_text(long, 0)) < 150


def test_changed_classes_are_listed_with_their_cells():
    labels, before, after = (np.array(x, np.int64) for x in ([0, 1, 0], [0, 1, 0], [1, 1, 1]))
    comparison = Comparison("m", "validation", ("no", "yes"), labels, before, after, ROWS)
    task = Task("t", "t", ("no", "yes"), "", "", (), "custom")
    examples = ReadableExamples(task, np.zeros((3, 1)), comparison.source)
    figure = flips.draw(comparison, examples, display_type="custom")
    texts = figure["data"][0]["text"]
    assert "line 2: age 31, city Rome, price 5" in texts
    assert "line 1,007: age 62, city Oslo, price 5" in texts
    assert comparison.rows()[0] == {
        "example": 0,
        "label": "no",
        "before": "no",
        "after": "yes",
        "line": 2,
        "age": "31",
        "city": "Rome",
        "price": "5",
    }


def numbers(after, source=ROWS):
    labels, before = np.array([100.0, 200.0, 300.0]), np.array([110.0, 190.0, 300.0])
    return NumberComparison("m", "validation", "price", labels, before, np.array(after), source)


def test_changed_numbers_begin_with_the_largest_change():
    comparison = numbers([111.0, 190.0, 500.0])
    figure = changed_numbers.draw(comparison)
    texts = figure["data"][0]["text"]
    assert "line 1,007" in texts[1]
    assert "line 2" in texts[3]
    assert "2" in figure["layout"]["title"]["text"]
    assert "200" in figure["layout"]["title"]["text"]
    assert "&lt;b&gt;" not in "".join(texts)  # that row did not change
    assert "&lt;b&gt;" in "".join(changed_numbers.draw(numbers([110, 0, 300]))["data"][0]["text"])


def test_without_a_table_examples_have_numbers():
    figure = changed_numbers.draw(numbers([111.0, 190.0, 300.0], None))
    assert "example 0" in figure["data"][0]["text"][1]


def test_no_change_is_said():
    figure = changed_numbers.draw(numbers([110.0, 190.0, 300.0]))
    assert len(figure["data"][0]["text"]) == 1


def test_outputs_that_are_not_finite_are_no_points():
    figure = number_comparison.draw(numbers([np.nan, 190.0, 300.0]))
    assert figure["data"][2]["y"] == [None, 190.0, 300.0]
