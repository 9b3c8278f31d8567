"""Preprocessing as plain data, and the examples it makes of a table."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.custom.tables.columns import category, date, number, table, text
from tests.raises import raises
from workbench.custom.tables.inspection import Choices
from workbench.custom.tables.prepare import prepare
from workbench.custom.tables.preprocessing import Preprocessing

ROWS = 120
RNG = np.random.default_rng(0)


def mixed():
    ages = RNG.normal(40, 10, ROWS)
    ages[::7] = np.nan
    return table(
        number("age", ages),
        category("city", [("Oslo", "Paris", "")[n % 3] for n in range(ROWS)]),
        date("day", np.datetime64("2020-01-01") + np.arange(ROWS)),
        text("review", [("good film", "bad film")[n % 2] for n in range(ROWS)]),
        number("price", 2e5 + 1000.0 * np.arange(ROWS)),
    )


def prepared(content, *, as_number=True):
    return prepare(content, Choices(as_number=as_number))


def test_it_travels_as_json_and_gives_the_same_features():
    content = mixed()
    result = prepared(content)
    data = json.loads(json.dumps(result.preprocessing.as_dict()))
    copy = Preprocessing.from_dict(data)
    assert copy == result.preprocessing
    for split, rows in result.splits.items():
        expected = result.data.parts[split][0]
        assert np.array_equal(copy.transform(content, rows), expected)
        assert np.array_equal(copy.transform(content)[rows], expected)
    assert len(copy.feature_names) == copy.width == expected.shape[1]


def test_default_values_are_not_in_the_file():
    content = table(number("x", np.arange(ROWS)), number("y", 2.0 * np.arange(ROWS)))
    column = prepared(content).preprocessing.as_dict()["columns"][0]
    assert column["format"] == {"type": "number"}
    assert set(column["features"]) == {"median", "mean", "scale", "knots"}
    assert len(json.dumps(column)) < 250


def test_few_features_are_shared_by_columns_with_many_values(monkeypatch):
    monkeypatch.setattr("workbench.custom.tables.preprocessing.TABLE_NUMBERS", 40 * ROWS)
    content = table(
        category("many", [f"m{n % 40}" for n in range(ROWS)]),
        category("few", [f"f{n % 4}" for n in range(ROWS)]),
        text("text", [" ".join(f"w{(n + m) % 60}" for m in range(9)) for n in range(ROWS)]),
        number("y", np.arange(ROWS)),
    )
    many, few, words = prepared(content).preprocessing.columns
    assert len(few.features.values) == 4
    assert len(words.features.words) == 18
    assert 4 < len(many.features.values) <= 18


def test_columns_of_noise_get_small_values():
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(ROWS, 3))
    content = table(*(number(f"x{n}", inputs[:, n]) for n in range(3)), number("y", inputs[:, 0]))
    preprocessing = prepared(content).preprocessing
    weights = [column.weight for column in preprocessing.columns]
    assert weights[0] == 1
    assert 0.1 <= max(weights[1:]) < 1
    features = preprocessing.transform(content)
    position = preprocessing.feature_names.index("x1")
    assert np.abs(features[:, position]).max() < np.abs(features[:, 0]).max()


def test_the_order_of_columns_is_free_and_a_missing_one_is_imputed():
    content = mixed()
    preprocessing = prepared(content).preprocessing
    turned = table(*content.columns[::-1])
    assert np.array_equal(preprocessing.transform(turned), preprocessing.transform(content))
    shorter = preprocessing.transform(table(*content.columns[1:]))
    assert np.isfinite(shorter).all()
    assert shorter[:, preprocessing.feature_names.index("age missing")].all()


def test_a_number_is_standardized_and_converted_back():
    content = mixed()
    result = prepared(content)
    target = content.columns[-1].numbers
    labels = result.data.parts["train"][1]
    assert labels.mean() == pytest.approx(0, abs=1e-6)
    assert labels.std() == pytest.approx(1, rel=1e-6)
    scale = result.data.target
    np.testing.assert_allclose(
        scale.in_unit(result.data.parts["test"][1]), target[result.splits["test"]], rtol=1e-6
    )


def test_numbers_can_be_classes():
    content = table(number("x", np.arange(ROWS)), number("kids", np.arange(ROWS) % 3))
    result = prepared(content, as_number=False)
    assert result.data.classes == ("0", "1", "2")
    labels = result.data.parts["validation"][1]
    assert labels.tolist() == (result.splits["validation"] % 3).tolist()


def test_held_out_rows_keep_their_cells_and_lines():
    content = mixed()
    result = prepared(content)
    row = int(result.splits["test"][0])
    source = result.data.rows["test"]
    assert source.lines[0] == row + 2
    assert source.row(0)["city"] == content.columns[1].cells[row]


def test_it_names_what_a_file_contains():
    names, values = prepared(mixed()).preprocessing.content()
    assert names == ("age", "city", "day", "review", "price")
    assert set(values["city"]) == {"Oslo", "Paris"}
    assert "good" in values["review"]


def test_texts_without_a_repeated_word_are_refused():
    content = table(text("t", [f"w{n}" for n in range(ROWS)]), number("y", np.arange(ROWS)))
    with raises("upload.no_features"):
        prepared(content)


def test_extreme_numbers_give_finite_features():
    values = [1e99, -1e99, 1e-99, 0.0, np.nan, 1.7e9] * 20
    same = [1.7e9 + n % 2 for n in range(ROWS)]
    content = table(number("x", values), number("z", same), number("y", np.arange(ROWS)))
    features = prepared(content).preprocessing.transform(content)
    assert np.isfinite(features).all()
    assert np.abs(features).max() <= 10


def changes(data):
    number_features = data["columns"][0]["features"]
    yield lambda: number_features.update(scale=0.0)
    yield lambda: number_features.update(scale=float("nan"))
    yield lambda: number_features.update(knots=[2.0, 1.0])
    yield lambda: number_features.update(mean="1")
    yield lambda: number_features.update(extra=1)
    yield lambda: data["columns"][0].update(weight=0)
    yield lambda: data["columns"][0].update(weight=[1.0])
    yield lambda: data["columns"][0].update(name=3)
    yield lambda: data["columns"][0]["format"].update(type="unknown")
    yield data["columns"][3]["features"]["weights"].pop
    yield lambda: data["columns"][2]["features"].update(parts=["century"])
    yield lambda: data["columns"][2]["features"].update(parts=["year", "year"])
    yield lambda: data["target"].update(scale=-1.0)
    yield lambda: data.update(columns=3)
    yield lambda: data.pop("target")


@pytest.mark.parametrize("index", range(15))
def test_damaged_data_are_refused(index):
    data = json.loads(json.dumps(prepared(mixed()).preprocessing.as_dict()))
    [*changes(data)][index]()
    with raises("artifact.invalid_preprocessing"):
        Preprocessing.from_dict(data)
