"""Features of columns: what a network receives for each type of cell."""

from __future__ import annotations

import numpy as np
import pytest

from tests.custom.tables.columns import category, date, number, text
from workbench.custom.tables.features.categories import CategoryFeatures
from workbench.custom.tables.features.dates import DateFeatures
from workbench.custom.tables.features.numbers import LIMIT, NumberFeatures
from workbench.custom.tables.features.texts import TextFeatures

RNG = np.random.default_rng(0)


def fitted(kind, column, **options):
    rows = np.arange(len(column.present))
    features = kind.fit(column, rows, **options)
    return features, features.transform(column)


def test_numbers_are_standardized_and_missing_ones_are_the_median():
    values = RNG.normal(50, 10, 1000)
    values[:100] = np.nan
    features, result = fitted(NumberFeatures, number("age", values))
    assert result.shape == (1000, len(features.names))
    assert features.names[0] == ""
    assert features.names[-1] == "missing"
    present = values[100:]
    np.testing.assert_allclose(
        result[100:, 0], (present - present.mean()) / present.std(), atol=1e-4
    )
    np.testing.assert_allclose(
        result[:100, 0], (np.median(present) - present.mean()) / present.std(), atol=1e-4
    )
    assert (result[:, -1] == np.isnan(values)).all()


def test_steps_rise_from_0_to_1_at_quantiles():
    features, result = fitted(NumberFeatures, number("x", np.arange(801.0)))
    assert features.knots == tuple(range(0, 801, 100))
    assert result[250, 1:].tolist() == [1, 1, 0.5, 0, 0, 0, 0, 0]


def test_a_heavy_tail_does_not_hide_the_other_values():
    values = np.append(RNG.normal(0, 1, 999), 1e9)
    features, result = fitted(NumberFeatures, number("x", values))
    assert features.width > 0
    assert result[:999, 0].std() > 0.3
    assert np.abs(result).max() <= LIMIT


def test_new_numbers_far_away_are_limited():
    features, _ = fitted(NumberFeatures, number("x", RNG.normal(size=100)))
    far = features.transform(number("x", [1e30, -1e30, np.nan]))
    assert np.isfinite(far).all()
    assert far[:2, 0].tolist() == [LIMIT, -LIMIT]


def test_a_mostly_empty_column_of_numbers_is_missing_or_not():
    values = np.full(100, np.nan)
    values[:20] = RNG.normal(size=20)
    features, result = fitted(NumberFeatures, number("x", values))
    assert features.names == ("missing",)
    assert result[:, 0].tolist() == [0.0] * 20 + [1.0] * 80


def test_categories_have_a_feature_each_and_missing_is_a_value():
    features, result = fitted(CategoryFeatures, category("city", ["b", "a", "", "b"]))
    assert features.names == ("b", "a", "missing")
    assert result.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]]


def test_unknown_categories_have_no_feature_or_share_the_rare_ones():
    features, _ = fitted(CategoryFeatures, category("city", ["b", "a", "b"]))
    new = category("city", ["c", "", " B ", "a"])
    assert features.transform(new).tolist() == [[0, 0], [0, 0], [1, 0], [0, 1]]
    assert features.unknown(new) == ("c",)
    many = [f"v{n}" for n in range(30) for _ in range(2 if n < 10 else 4)]
    features, result = fitted(CategoryFeatures, category("v", many))
    assert len(features.values) == 20
    assert features.names[-1] == "other"
    assert result[:20, -1].all()
    assert features.transform(category("v", ["new"]))[0, -1] == 1


def test_dates_have_cyclic_parts_and_parts_that_do_not_vary_are_left_out():
    days = np.datetime64("1981-01-01") + np.arange(3 * 365)
    features, result = fitted(DateFeatures, date("day", days))
    assert "hour" not in features.parts
    names = list(features.names)
    sine = result[:, names.index("day of year sine 1")]
    assert abs(sine[0] - sine[365]) < 0.01
    assert sine[91] == pytest.approx(1, abs=0.01)
    assert result[0, names.index("weekday 4")] == 1  # a Thursday
    assert result[31, names.index("month 2")] == 1
    elapsed = result[:, names.index("elapsed")]
    assert (np.diff(elapsed) > 0).all()


def test_hours_are_used_where_there_are_times_and_missing_dates_are_said():
    times = np.datetime64("2020-01-01T00:00:00") + np.arange(48) * np.timedelta64(3600, "s")
    times[5] = np.datetime64("NaT")
    features, result = fitted(DateFeatures, date("time", times))
    assert {"hour", "elapsed"} <= set(features.parts)
    assert result[5, features.names.index("missing")] == 1
    assert np.isfinite(result).all()


def test_texts_are_bags_of_words():
    texts = ["a good film", "a bad film", "Good, good FILM", ""]
    features, result = fitted(TextFeatures, text("review", texts))
    assert "good" in features.words
    assert "bad" not in features.words  # it occurs once
    assert result[3].tolist() == [0.0] * len(features.words) + [1.0]
    lengths = np.linalg.norm(result[:3, :-1], axis=1)
    assert lengths[0] == pytest.approx(lengths[2])


def test_words_need_no_spaces_in_chinese_and_may_have_apostrophes():
    features, _ = fitted(TextFeatures, text("review", ["很好看 don't!", "很无聊 don't", "好", "x"]))
    assert set(features.words) == {"很", "好", "don't"}


def test_only_the_training_rows_are_fitted():
    column = category("city", ["a", "b", "c", "a"])
    assert CategoryFeatures.fit(column, np.array([0, 3])).values == ("a",)
    values = number("x", [0, 1, 2, 1e6])
    assert NumberFeatures.fit(values, np.array([0, 1, 2])).mean == 1
