from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import comb, exp, lgamma

import pytest

from workbench.evaluation.intervals import split_bounds, wilson


def chance(found, right, seen, total):
    """P(X = found), exactly."""
    ways = comb(right, found) * comb(total - right, seen - found)
    return Fraction(ways, comb(total, seen))


@cache
def coverage(right, seen, total):
    """How often the interval of a random sample holds the true count, exactly."""
    covered = Fraction(0)
    for found in range(max(0, seen - (total - right)), min(seen, right) + 1):
        low, high = split_bounds(found, seen, total)
        if low <= right <= high:
            covered += chance(found, right, seen, total)
    return covered


@pytest.mark.parametrize("total", [1, 2, 3, 5, 8, 13, 21])
def test_every_true_count_is_covered_as_often_as_promised(total):
    for seen in range(1, total + 1):
        for right in range(total + 1):
            assert coverage(right, seen, total) >= Fraction(95, 100), (right, seen, total)


@pytest.mark.parametrize("total", [1, 2, 5, 12])
def test_bounds_are_those_of_exact_enumeration(total):
    tail = Fraction(25, 1000)
    for seen in range(1, total + 1):
        for found in range(seen + 1):
            possible = [
                right
                for right in range(found, total - (seen - found) + 1)
                if sum(chance(x, right, seen, total) for x in range(found, seen + 1)) > tail
                and sum(chance(x, right, seen, total) for x in range(found + 1)) > tail
            ]
            assert split_bounds(found, seen, total) == (min(possible), max(possible))


@pytest.mark.parametrize("right", [0, 3, 1000, 2500, 4530, 4999])
@pytest.mark.parametrize("seen", [400, 1200, 2800])
def test_coverage_at_the_size_of_a_real_split(seen, right):
    total = 5000
    logs = [lgamma(n + 1) for n in range(total + 1)]

    def choose(n, k):
        return logs[n] - logs[k] - logs[n - k]

    covered = 0.0
    for found in range(max(0, seen - (total - right)), min(seen, right) + 1):
        drawn = choose(right, found) + choose(total - right, seen - found)
        probable = exp(drawn - choose(total, seen))
        low, high = split_bounds(found, seen, total) if probable > 1e-9 else (1, 0)
        covered += probable * (low <= right <= high)
    assert covered >= 0.95 - 1e-6


@pytest.mark.parametrize("seen", [1, 17, 400, 4999, 5000])
def test_bounds_grow_with_what_is_right_and_hold_what_was_seen(seen):
    total, before = 5000, (0, 0)
    for correct in sorted({0, 1, seen // 3, seen // 2, seen - 1, seen}):
        low, high = split_bounds(correct, seen, total)
        assert correct <= low <= high <= total - (seen - correct)
        assert (low, high) >= before
        before = low, high


def test_bounds_narrow_as_more_is_seen():
    widths = [
        high - low
        for low, high in (
            split_bounds(seen * 9 // 10, seen, 5000) for seen in (100, 400, 1200, 2800)
        )
    ]
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize("total", [1, 7, 5000])
def test_bounds_close_when_all_is_seen(total):
    for correct in {0, total // 2, total}:
        assert split_bounds(correct, total, total) == (correct, correct)


@pytest.mark.parametrize(
    ("correct", "examples", "low", "high"),
    # Newcombe 1998, Statistics in Medicine 17, table I, method 3.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_as_published(correct, examples, low, high):
    assert wilson(correct, examples) == pytest.approx((low, high), abs=5e-5)
    mirrored = wilson(examples - correct, examples)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=5e-5)
