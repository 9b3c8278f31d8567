"""Reading CSV tables, and preparing them for training."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.raises import raises
from workbench.cancel import CancelToken
from workbench.custom.uploads import limits, splits, tables
from workbench.errors import Cancelled

ROWS = 60
NOT_USED = "Not used, because of too few or too many values"


def csv(rows=ROWS, header="a,b,label", line=lambda n: f"{n},{n * n % 7},{'yn'[n % 2]}"):
    return "\n".join([header, *map(line, range(rows))]).encode()


def preprocessed(data, target=-1):
    table = tables.read(data)
    return tables.preprocess(table, target % len(table.names))


INVALID = {
    "empty": (b"", "upload.empty"),
    "blank lines": (b"\n \n\n", "upload.empty"),
    "bytes": (b"\xff\xfe\x00a", "upload.not_text", "UTF-8"),
    "latin-1": ("name,wert\nJörg,1".encode("latin-1"), "upload.not_text"),
    "a null byte": (csv() + b"\n\0,1,y", "upload.not_text"),
    "one column": (b"a\n" + b"1\n" * 60, "upload.one_column"),
    "no header": (csv(header="1,2,3"), "upload.no_header"),
    "a short row": (csv() + b"\n5,6\n", "upload.row_length", "Line 62 has 2 cells", "3"),
    "a long row": (csv() + b"\n5,6,7,8\n", "upload.row_length", "Line 62 has 4 cells"),
    "an open quote": (csv() + b'\n"5,6,y\n', "upload.invalid_row", "Line 62"),
    "a very long cell": (
        csv() + b"\n" + b"x" * 140_000 + b",1,y\n",
        "upload.invalid_row",
        "Line 62",
    ),
    "few rows": (csv(20), "upload.too_few_examples", "20 rows: at least 50"),
    "mostly missing": (
        csv(line=lambda n: f"{n % 9 or ''},{n},y" if n < 9 else f",{n % 5},n"),
        "upload.too_few_examples",
        "8 rows",
        "missing value",
    ),
    "one value": (
        csv(line=lambda n: f"{n},{n % 3},y"),
        "upload.constant_target",
        "“label”",
    ),
    "names": (
        csv(line=lambda n: f"{n},{n % 3},person {n}"),
        "upload.too_many_classes",
        "60 different values",
    ),
    "a rare class": (
        csv(line=lambda n: f"{n},{n % 3},{'odd' if n < 2 else 'usual'}"),
        "upload.rare_class",
        "“odd” has 2",
    ),
    "no usable column": (
        csv(header="a,label", line=lambda n: f"id{n},{'yn'[n % 2]}"),
        "upload.no_features",
        "“label”",
    ),
    "many columns": (
        ",".join(f"c{n}" for n in range(1001)).encode(),
        "upload.too_many_columns",
        "1,001 columns",
    ),
}


@pytest.mark.parametrize("name", INVALID)
def test_invalid_tables_are_refused(name):
    data, code, *facts = INVALID[name]
    with raises(code, *facts) as caught:
        preprocessed(data)
    assert re.fullmatch(r"[^\n]+\.", str(caught.value))


def test_sizes_are_limited(monkeypatch):
    monkeypatch.setattr(tables, "TABLE_BYTES", 100)
    with raises("upload.too_large", "100"):
        tables.read(csv())
    monkeypatch.setattr(tables, "TABLE_BYTES", limits.TABLE_BYTES)
    monkeypatch.setattr(tables, "TABLE_ROWS", 59)
    with raises("upload.too_many_rows", "59"):
        tables.read(csv())
    monkeypatch.setattr(tables, "TABLE_ROWS", limits.TABLE_ROWS)
    monkeypatch.setattr(tables, "TABLE_NUMBERS", 100)
    with raises("upload.too_large", "rows and columns"):
        preprocessed(csv())


def test_reading_can_be_cancelled():
    with pytest.raises(Cancelled):
        tables.read(csv(), CancelToken(lambda: True))


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_delimiters_and_a_byte_order_mark(delimiter, start):
    data = start + csv().replace(b",", delimiter.encode())
    assert tables.read(data) == tables.read(csv()).__class__(
        ("a", "b", "label"), tables.read(csv()).columns, ","
    )


def test_quotes_spaces_and_blank_lines():
    data = b'"a, first", ,label\r\n\r\n' + b'"1,000",2 ,y\r\n' * 60
    table = tables.read(data)
    assert table.names == ("a, first", "column 2", "label")
    assert [column[0] for column in table.columns] == ["1,000", "2", "y"]


def test_a_comma_is_a_decimal_separator_unless_it_is_the_delimiter():
    data = preprocessed(csv(header="a;b", line=lambda n: f"{n},5;{n * n},25"))
    assert data.classes == ()
    assert data.parts["train"][0].shape[1] == 1


def test_numbers_are_standardized_by_the_training_split():
    data = preprocessed(csv(400, "a,b,price", lambda n: f"{n},{n % 13},{n * 1.5 + 0.25}"))
    inputs, targets = data.parts["train"]
    assert inputs.dtype == targets.dtype == np.float32
    np.testing.assert_allclose(inputs.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(inputs.std(0), 1, atol=1e-5)
    np.testing.assert_allclose([targets.mean(), targets.std()], [0, 1], atol=1e-5)
    assert abs(data.parts["test"][0].mean()) > 1e-4


def test_words_are_one_hot_encoded():
    data = preprocessed(
        csv(header="color,n,label", line=lambda n: f"{'rgb'[n % 3]},{n},{'yn'[n % 2]}")
    )
    inputs = np.concatenate([inputs for inputs, _ in data.parts.values()])
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
def test_targets_are_classes_or_numbers(values, classes):
    data = csv(130, "a,b", lambda n: f"{n},{values[n % len(values)]}")
    data = preprocessed(data)
    assert data.classes == classes
    assert (data.parts["train"][1].dtype == np.int64) == bool(classes)


def test_any_column_can_be_the_target():
    assert preprocessed(csv(), target=1).classes == tuple("0124")


@pytest.mark.parametrize("missing", ["", "NA", "n/a", "NaN", "?", "inf", "1e300"])
def test_rows_with_missing_values_are_left_out_and_counted(missing):
    data = csv() + f"\n{missing},1,y\n3,1,y".encode()
    if missing in {"inf", "1e300"}:
        assert preprocessed(data).notes == ("1 row with a missing value is left out.",)
        return
    data = preprocessed(data)
    assert data.notes == ("1 row with a missing value is left out.",)
    assert sum(len(labels) for _, labels in data.parts.values()) == 61


def test_columns_that_are_not_used_are_named():
    data = csv(header="id,same,n,label", line=lambda n: f"id{n},1,{n},{'yn'[n % 2]}")
    assert preprocessed(data).notes == (f"{NOT_USED}: “id”, “same”.",)


def test_columns_with_the_same_name_are_separate():
    data = preprocessed(csv(header="x,x,label"))
    assert data.parts["train"][0].shape[1] == 2
    data = preprocessed(csv(header="x,x,label", line=lambda n: f"{n},1,{'yn'[n % 2]}"))
    assert data.notes == (f"{NOT_USED}: “x”.",)


def test_underscores_in_numbers_are_not_accepted():
    data = preprocessed(csv(header="a,n,label", line=lambda n: f"{n % 4}_0,{n},{'yn'[n % 2]}"))
    assert data.parts["train"][0].shape[1] == 5  # words, not tens


def test_splits_are_stratified_and_reproducible():
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
