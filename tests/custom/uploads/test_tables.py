"""A table is read as text; whatever is wrong with it is one sentence."""

from __future__ import annotations

import re

import numpy as np
import pytest

from workbench.custom.uploads import limits, splits, tables
from workbench.errors import Cancelled, WorkbenchError

ROWS = 60


def csv(rows=ROWS, header="a,b,label", line=lambda n: f"{n},{n * n % 7},{'yn'[n % 2]}"):
    return "\n".join([header, *map(line, range(rows))]).encode()


def learned(data, target=-1):
    table = tables.read(data)
    return tables.preprocess(table, target % len(table.names))


BAD = {
    "empty": (b"", "empty"),
    "blank lines": (b"\n \n\n", "empty"),
    "bytes": (b"\xff\xfe\x00a", "UTF-8"),
    "latin-1": ("name,wert\nJörg,1".encode("latin-1"), "UTF-8"),
    "a nul": (csv() + b"\n\0,1,y", "UTF-8"),
    "one column": (b"a\n" + b"1\n" * 60, "one column"),
    "no header": (csv(header="1,2,3"), "first line holds numbers"),
    "a short row": (csv() + b"\n5,6\n", r"Line 62 has 2 cells where the header has 3"),
    "a long row": (csv() + b"\n5,6,7,8\n", r"Line 62 has 4 cells"),
    "an open quote": (csv() + b'\n"5,6,y\n', "Line 62 cannot be read"),
    "a cell without end": (csv() + b"\n" + b"x" * 140_000 + b",1,y\n", "Line 62 cannot be read"),
    "few rows": (csv(20), "20 rows: at least 50"),
    "mostly missing": (
        csv(line=lambda n: f"{n % 9 or ''},{n},y" if n < 9 else f",{n % 5},n"),
        "left",
    ),
    "one value": (csv(line=lambda n: f"{n},{n % 3},y"), "same value in every row"),
    "names": (csv(line=lambda n: f"{n},{n % 3},person {n}"), "60 different values"),
    "a rare class": (
        csv(line=lambda n: f"{n},{n % 3},{'odd' if n < 2 else 'usual'}"),
        "“odd” has 2",
    ),
    "nothing to go by": (
        csv(header="a,label", line=lambda n: f"id{n},{'yn'[n % 2]}"),
        "No column is",
    ),
    "many columns": (",".join(f"c{n}" for n in range(1001)).encode(), "1,001 columns"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_table_to_learn_from_is_one_sentence(name):
    data, sentence = BAD[name]
    with pytest.raises(WorkbenchError, match=sentence) as told:
        learned(data)
    assert re.fullmatch(r"[^\n]+\.", str(told.value))


def test_sizes_are_limited(monkeypatch):
    monkeypatch.setattr(tables, "TABLE_BYTES", 100)
    with pytest.raises(WorkbenchError, match="larger than"):
        tables.read(csv())
    monkeypatch.setattr(tables, "TABLE_BYTES", limits.TABLE_BYTES)
    monkeypatch.setattr(tables, "TABLE_ROWS", 59)
    with pytest.raises(WorkbenchError, match="more than 59 rows"):
        tables.read(csv())
    monkeypatch.setattr(tables, "TABLE_ROWS", limits.TABLE_ROWS)
    monkeypatch.setattr(tables, "TABLE_NUMBERS", 100)
    with pytest.raises(WorkbenchError, match="too many"):
        learned(csv())


def test_reading_can_be_given_up():
    with pytest.raises(Cancelled):
        tables.read(csv(), lambda: True)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_delimiters_and_a_mark_at_the_start(delimiter, start):
    data = start + csv().replace(b",", delimiter.encode())
    assert tables.read(data) == tables.read(csv()).__class__(
        ("a", "b", "label"), tables.read(csv()).columns, ","
    )


def test_quotes_blanks_and_blank_lines():
    data = b'"a, first", ,label\r\n\r\n' + b'"1,000",2 ,y\r\n' * 60
    table = tables.read(data)
    assert table.names == ("a, first", "column 2", "label")
    assert [column[0] for column in table.columns] == ["1,000", "2", "y"]


def test_a_comma_is_a_decimal_point_where_it_cuts_nothing():
    found = learned(csv(header="a;b", line=lambda n: f"{n},5;{n * n},25"))
    assert found.classes == ()
    assert found.parts["train"][0].shape[1] == 1


def test_numbers_are_standardised_with_the_training_split():
    found = learned(csv(400, "a,b,price", lambda n: f"{n},{n % 13},{n * 1.5 + 0.25}"))
    inputs, targets = found.parts["train"]
    assert inputs.dtype == targets.dtype == np.float32
    np.testing.assert_allclose(inputs.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(inputs.std(0), 1, atol=1e-5)
    np.testing.assert_allclose([targets.mean(), targets.std()], [0, 1], atol=1e-5)
    assert abs(found.parts["test"][0].mean()) > 1e-4


def test_words_become_one_number_for_each_value():
    found = learned(
        csv(header="colour,n,label", line=lambda n: f"{'rgb'[n % 3]},{n},{'yn'[n % 2]}")
    )
    inputs = np.concatenate([inputs for inputs, _ in found.parts.values()])
    assert inputs.shape == (60, 4)
    assert (inputs[:, :3].sum(1) == 1).all()


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        ("yn", ("n", "y")),
        ("0123", ("0", "1", "2", "3")),
        (("1.0", "2.0"), ("1", "2")),
        (("10", "9"), ("9", "10")),
        (("0.5", "1.5"), ()),
        ([str(n) for n in range(21)], ()),
    ],
)
def test_whether_classes_or_a_number_are_predicted(values, classes):
    data = csv(130, "a,b", lambda n: f"{n},{values[n % len(values)]}")
    found = learned(data)
    assert found.classes == classes
    assert (found.parts["train"][1].dtype == np.int64) == bool(classes)


def test_any_column_can_be_the_target():
    assert learned(csv(), target=1).classes == tuple("0124")


@pytest.mark.parametrize("missing", ["", "NA", "n/a", "NaN", "?", "inf", "1e300"])
def test_rows_that_miss_a_value_are_left_out_and_counted(missing):
    data = csv() + f"\n{missing},1,y\n3,1,y".encode()
    if missing in {"inf", "1e300"}:
        assert learned(data).notes == ("1 row that misses a value is left out.",)
        return
    found = learned(data)
    assert found.notes == ("1 row that misses a value is left out.",)
    assert sum(len(labels) for _, labels in found.parts.values()) == 61


def test_columns_that_tell_nothing_are_named():
    data = csv(header="id,same,n,label", line=lambda n: f"id{n},1,{n},{'yn'[n % 2]}")
    assert learned(data).notes == ("Not used, for one value or too many: “id”, “same”.",)


def test_columns_of_one_name_are_two_columns():
    found = learned(csv(header="x,x,label"))
    assert found.parts["train"][0].shape[1] == 2
    found = learned(csv(header="x,x,label", line=lambda n: f"{n},1,{'yn'[n % 2]}"))
    assert found.notes == ("Not used, for one value or too many: “x”.",)


def test_numbers_are_no_python():
    found = learned(csv(header="a,n,label", line=lambda n: f"{n % 4}_0,{n},{'yn'[n % 2]}"))
    assert found.parts["train"][0].shape[1] == 5  # words, not tens


def test_splits_are_stratified_and_the_same_every_time():
    labels = np.repeat([0, 1, 2], [100, 20, 3])
    first, second = splits.split_rows(labels), splits.split_rows(labels)
    for name, rows in first.items():
        np.testing.assert_array_equal(rows, second[name])
        assert set(labels[rows]) == {0, 1, 2}
    for name in ("validation", "test"):
        assert np.bincount(labels[first[name]]).tolist() == [15, 3, 1]
    together = np.concatenate([*first.values()])
    assert sorted(together) == list(range(123))


def test_a_name_from_an_upload_is_one_short_line():
    assert splits.quoted("a\nb\x00\u202e c") == "“a b c”"
    assert len(splits.quoted("x" * 500)) == 42
