"""Fixed axes, with equal distances for equal factors of error."""

from __future__ import annotations

import itertools
import math

import pytest

from workbench.domain.metric import ACCURACY, R2, RMSE, Metric
from workbench.plots import scales


def test_height_grows_with_accuracy():
    heights = [scales.height(share) for share in (0, 0.1, 0.5, 0.9, 0.99, 1)]
    assert heights == sorted(heights)
    assert math.isfinite(heights[-1])
    halved = scales.height(0.95) - scales.height(0.90)
    assert halved == pytest.approx(scales.height(0.80) - scales.height(0.60))


@pytest.mark.parametrize("original", [0.3, 0.86, 0.92, 0.999, 1.0])
def test_the_accuracy_axis_reaches_from_zero_to_the_original(original):
    low, high = scales.accuracy_range(original)
    assert low <= scales.height(0) < scales.height(original) < high
    places, labels = scales.accuracy_ticks(original)
    assert len(places) == len(labels) == len(set(labels)) >= 3
    assert places == sorted(places)
    assert all(low <= place < high for place in places)


@pytest.mark.parametrize(
    ("original", "factors"),
    [(0.8, (2, 2.5)), (0.92, (2, 2.5)), (0.994, (2, 2.5)), (0.999, (10, 10))],
)
def test_each_line_divides_the_errors_as_the_note_says(original, factors):
    axis = scales.Axis(ACCURACY, original)
    errors = [10**-place for place in axis.ticks[0]]
    least, most = factors
    for a, b in itertools.pairwise(errors):
        assert least * (1 - 1e-9) <= a / b <= most * (1 + 1e-9)
    assert ("at least halves" if least == 2 else "by 10") in axis.note


@pytest.mark.parametrize("percent", range(1, 101))
def test_ticks_of_an_accuracy_are_round(percent):
    _places, labels = scales.accuracy_ticks(percent / 100)
    errors = [round(100 - float(label.split("\u202f")[0]), 9) for label in labels]
    if percent < 80:
        assert all(error % 10 == 0 for error in errors)
    else:
        assert {f"{error:e}"[0] for error in errors} <= {"1", "2", "5"}


def test_an_axis_without_equal_lines_has_no_note():
    assert scales.Axis(ACCURACY, 0.6).note == ""
    assert scales.Axis(RMSE, 0.9).note == ""


RISING = Metric("custom", "whole", is_fraction=False)
FALLING = Metric("custom", "whole", higher_is_better=False, is_fraction=False)


@pytest.mark.parametrize("metric", [RMSE, R2, RISING, FALLING], ids=lambda metric: metric.name)
@pytest.mark.parametrize("original", [-30.0, -0.2, 0.0, 1e-7, 0.4, 0.9, 3.0, 1e6])
@pytest.mark.parametrize("worst", [None, -1e9, -3.0, 0.4, 8.0, 1e9])
def test_the_original_is_above_worse_values_for_any_metric(metric, original, worst):
    if metric.is_fraction and original > 1:
        return  # impossible for a fraction
    if worst is not None and metric.better(worst, original):
        worst = None
    up = scales.Axis(metric, original, worst)
    low, high = up.range
    assert low <= up.height(original) < high
    for value in (worst, float("nan"), float("inf"), -float("inf")):
        if value is not None and not metric.better(value, original):
            assert low <= up.height(value) <= up.height(original)
    places, labels = up.ticks
    assert 2 <= len(places) == len(set(labels)) <= 20
    assert places == sorted(places)
    assert all(low <= place <= high for place in places)


def test_an_axis_over_values_reaches_the_worst_within_a_limit():
    near, far = scales.Axis.over(RMSE, [1.0, 8.0]), scales.Axis.over(RMSE, [1.0, 8.0, 1e9])
    assert near.height(8.0) == pytest.approx(near.range[0])
    assert far.range[0] < far.height(8.0) < far.height(1.0)
    assert far.height(1e9) == far.range[0]
    assert scales.Axis.over(RMSE, [float("nan"), 1.0, 8.0]) == near
    assert scales.Axis.over(RMSE, [1.0, 8.0]).original == 1.0
    assert scales.Axis.over(RISING, []).range


def test_the_size_axis_is_fixed_until_a_smaller_size_appears():
    fixed = scales.size_range(1_000_000, [])
    assert scales.size_range(1_000_000, [20_000, 900_000]) == fixed
    low, high = scales.size_range(1_000_000, [1_000])
    assert low < math.log10(1_000) < high == fixed[1]


def test_size_ticks_use_decimal_units():
    places, labels = scales.size_ticks(2.9, 6.3)
    assert places == [1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6]
    assert labels[0] == "1\u202fkB"
    assert labels[-1] == "1\u202fMB"
