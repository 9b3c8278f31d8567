"""Numbers are formatted with their unit, few digits and, where they are changes, a sign."""

from __future__ import annotations

import pytest

from workbench import formatting as f

CASES = [
    (f.count, 1_041_203, "1,041,203"),
    (f.nbytes, 1, "1 byte"),
    (f.nbytes, 41_203, "41,203 bytes"),
    (f.size, 999, "999 B"),
    (f.size, 1000, "1.00 kB"),
    (f.size, 41_203, "41.2 kB"),
    (f.size, 2_500_000, "2.50 MB"),
    (f.size, 3e9, "3.00 GB"),
    (f.percent, 0.8987, "89.9 %"),
    (f.points, 0.0152, "+1.5 points"),
    (f.points, -0.015, "−1.5 points"),
    (f.points, 0.0004, "±0.0 points"),
    (f.number, 1.7421, "1.742"),
    (f.number, 0.01234, "0.0123"),
    (f.number, 1234.56, "1,234.6"),
    (f.signed, 0.021, "+0.021"),
    (f.signed, -2.5, "−2.500"),
    (f.signed, 0, "±0.000"),
    (f.times, 42.14, "42.1 ×"),
    (f.milliseconds, 3.214, "3.21 ms"),
    (f.joules, 0.0123, "12.3 mJ"),
    (f.joules, 41.23, "41.2 J"),
    (f.joules, 3_600_000, "3.60 MJ"),
    (f.grams, 0.000148, "148 µg"),
    (f.grams, 0.0123, "12.3 mg"),
    (f.grams, 1234, "1.23 kg"),
]


@pytest.mark.parametrize(("function", "value", "text"), CASES)
def test_numbers(function, value, text):
    assert function(value).replace(f.NARROW_SPACE, " ") == text
