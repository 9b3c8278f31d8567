"""Numbers are formatted with their unit, few digits and, where they are changes, a sign."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from workbench import formatting as f
from workbench.domain.metric import ACCURACY, BITS_PER_CHARACTER, RMSE

CASES = [
    (f.count, 1_041_203, "1,041,203"),
    (f.nbytes, 1, "1 byte"),
    (f.nbytes, 41_203, "41,203 bytes"),
    (f.size, 999, "999 B"),
    (f.size, 1000, "1.00 kB"),
    (f.size, 41_203, "41.2 kB"),
    (f.size, 2_500_000, "2.50 MB"),
    (f.size, 3e9, "3.00 GB"),
    (f.size, 9_999, "10.0 kB"),
    (f.size, 99_950, "100 kB"),
    (f.size, 999_999, "1.00 MB"),
    (f.size, 999.7, "1.00 kB"),
    (f.size, 5_432e9, "5,430 GB"),
    (f.percent, 0.8987, "89.9 %"),
    (f.percent, -3.911, "−391.1 %"),
    (f.percent, -0.0001, "0.0 %"),
    (f.number, -1.742, "−1.742"),
    (f.number, -0.00002, "−2e-05"),
    (f.scientific, -0.00002, "−2 × 10⁻⁵"),
    (f.points, 0.0152, "+1.5 points"),
    (f.points, -0.015, "−1.5 points"),
    (f.points, 0.0004, "±0.0 points"),
    (f.number, 1.7421, "1.742"),
    (f.number, 0.01234, "0.0123"),
    (f.number, 1234.56, "1,234.6"),
    (f.number, 99.9996, "100.0"),
    (f.number, 0.09999, "0.100"),
    (f.number, 999_999.97, "1e+06"),
    (f.signed, 0.021, "+0.021"),
    (f.signed, -2.5, "−2.500"),
    (f.signed, 0, "±0.000"),
    (f.times, 42.14, "42.1 ×"),
    (f.times, 9.999, "10.0 ×"),
    (f.milliseconds, 9.999, "10.0 ms"),
    (f.milliseconds, 3.214, "3.21 ms"),
    (f.milliseconds, 1e-6, "1 × 10⁻⁶ ms"),
    (f.joules, 0.0123, "12.3 mJ"),
    (f.joules, 41.23, "41.2 J"),
    (f.joules, 3_600_000, "3.60 MJ"),
    (f.joules, 0.99999, "1.00 J"),
    (f.joules, 999_999, "1.00 MJ"),
    (f.millijoules, 0.0001, "0.0001 mJ"),
    (f.grams, 0.000148, "148 µg"),
    (f.grams, 0.0123, "12.3 mg"),
    (f.grams, 1234, "1.23 kg"),
    (f.grams, 999.9, "1.00 kg"),
    (f.grams, 0.00099999, "1.00 mg"),
]
UNITS = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "×": 1, "ms": 1, "mJ": 1e-3, "J": 1, "kJ": 1e3}
UNITS |= {"MJ": 1e6, "µg": 1e-6, "mg": 1e-3, "g": 1, "kg": 1e3}
SHORT = (f.size, f.times, f.milliseconds, f.joules, f.grams)
"""The functions that show three digits."""


@pytest.mark.parametrize(("function", "value", "text"), CASES)
def test_numbers(function, value, text):
    assert function(value).replace(f.NARROW_SPACE, " ") == text


@pytest.mark.parametrize("function", SHORT)
@given(st.floats(0.005, 1e13) | st.integers(1, 10**13) | st.sampled_from([9.995, 99.95, 999.5]))
def test_three_digits_are_those_nearest_to_the_value(function, value):
    shown, unit = function(value).replace(",", "").split(f.NARROW_SPACE)
    digits = Decimal(shown)
    assert len(shown.replace(".", "").strip("0")) <= 3
    assert digits < 1000 or unit in {"GB", "×", "ms", "MJ", "kg"}  # the largest unit of each
    last = max(digits.as_tuple().exponent, digits.adjusted() - 2)  # of the three
    error = abs(digits - Decimal(value) / Decimal(UNITS[unit]))
    assert error <= Decimal(10) ** last / 2 * (1 + Decimal("1e-12"))


@pytest.mark.parametrize(
    ("metric", "value", "other", "text"),
    [
        (ACCURACY, 0.8864, 0.7396, "+14.6 points"),  # shown as 88.6 and 74.0
        (ACCURACY, 0.74, 0.8864, "−14.6 points"),
        (ACCURACY, 0.88644, 0.88636, "±0.0 points"),
        (BITS_PER_CHARACTER, 1.7421, 1.7204, "+0.022 bits"),
        (RMSE, 100.24, 99.532, "+0.668"),  # shown as 100.2 and 99.532
        (RMSE, 0.0123, 0.01, "+0.0023"),
        (RMSE, 1_234_567.0, 1_200_000.0, "+30,000"),  # shown as 1.23e+06 and 1.2e+06
        (RMSE, float("nan"), 1.0, "−nan"),
    ],
)
def test_a_difference_is_that_of_the_numbers_shown(metric, value, other, text):
    assert metric.difference(value, other).replace(f.NARROW_SPACE, " ") == text


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_difference_of_fractions_never_contradicts_them(value, other):
    shown = [Decimal(ACCURACY.format(x).removesuffix(f"{f.NARROW_SPACE}%")) for x in (value, other)]
    text = ACCURACY.difference(value, other).removesuffix(f"{f.NARROW_SPACE}points")
    assert Decimal(text.replace(f.MINUS, "-").replace("±", "")) == shown[0] - shown[1]


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_a_difference_of_numbers_never_contradicts_them(value, other):
    texts = [RMSE.format(x).replace(",", "").replace(f.MINUS, "-") for x in (value, other)]
    shown = [Decimal(text) for text in texts]
    text = RMSE.difference(value, other).replace(",", "").replace(f.MINUS, "-").replace("±", "")
    assert Decimal(text) == shown[0] - shown[1]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.08e-7, "3.08\u202f×\u202f10⁻⁷"),
        (2.5e-12, "2.5\u202f×\u202f10⁻¹²"),
        (1.5e7, "1.5\u202f×\u202f10⁷"),
        (0.0, "0.000"),
        (0.25, "0.250"),
    ],
)
def test_tiny_and_huge_numbers_have_a_power_of_ten(value, text):
    assert f.scientific(value) == text
