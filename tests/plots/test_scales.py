"""The axes: known before any point is, and equal factors of error at equal distances."""

from __future__ import annotations

import math

import pytest

from workbench.plots import scales


def test_height_grows_with_accuracy():
    heights = [scales.height(share) for share in (0, 0.1, 0.5, 0.9, 0.99, 1)]
    assert heights == sorted(heights)
    assert math.isfinite(heights[-1])
    halved = scales.height(0.95) - scales.height(0.90)
    assert halved == pytest.approx(scales.height(0.80) - scales.height(0.60))


@pytest.mark.parametrize("original", [0.3, 0.86, 0.92, 0.999, 1.0])
def test_accuracy_axis_shows_everything_up_to_the_original(original):
    low, high = scales.accuracy_range(original)
    assert low <= scales.height(0) < scales.height(original) < high
    places, labels = scales.accuracy_ticks(original)
    assert len(places) == len(labels) == len(set(labels)) >= 3
    assert places == sorted(places)
    assert all(low <= place < high for place in places)


def test_size_axis_stays_until_something_smaller_is_seen():
    fixed = scales.size_range(1_000_000, [])
    assert scales.size_range(1_000_000, [20_000, 900_000]) == fixed
    low, high = scales.size_range(1_000_000, [1_000])
    assert low < math.log10(1_000) < high == fixed[1]


def test_size_ticks_are_written_in_decimal_units():
    places, labels = scales.size_ticks(2.9, 6.3)
    assert places == [1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6]
    assert labels[0] == "1\u202fkB"
    assert labels[-1] == "1\u202fMB"
