"""Confidence intervals: coverage, and published values."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import comb, exp, lgamma, sqrt

import pytest
from scipy import stats

from workbench.evaluation.intervals import (
    MOST_TOTALS,
    _log_factorials,
    expected_on_test,
    sampled_again,
    split_bounds,
    wilson,
)


def probability(hits, right, seen, total):
    """Return P(X = hits) as a fraction."""
    ways = comb(right, hits) * comb(total - right, seen - hits)
    return Fraction(ways, comb(total, seen))


@cache
def coverage(right, seen, total):
    """Return the probability that the interval of a sample contains the true count."""
    covered = Fraction(0)
    for hits in range(max(0, seen - (total - right)), min(seen, right) + 1):
        low, high = split_bounds(hits, seen, total)
        if low <= right <= high:
            covered += probability(hits, right, seen, total)
    return covered


@pytest.mark.slow
@pytest.mark.parametrize("total", [1, 2, 3, 5, 8, 13, 21])
def test_coverage_is_at_least_nominal(total):
    for seen in range(1, total + 1):
        for right in range(total + 1):
            assert coverage(right, seen, total) >= Fraction(95, 100), (right, seen, total)


@pytest.mark.parametrize("total", [1, 2, 5, 12])
def test_bounds_equal_exact_enumeration(total):
    tail = Fraction(25, 1000)
    for seen in range(1, total + 1):
        for hits in range(seen + 1):
            possible = [
                right
                for right in range(hits, total - (seen - hits) + 1)
                if sum(probability(x, right, seen, total) for x in range(hits, seen + 1)) > tail
                and sum(probability(x, right, seen, total) for x in range(hits + 1)) > tail
            ]
            assert split_bounds(hits, seen, total) == (min(possible), max(possible))


@pytest.mark.parametrize("right", [0, 3, 1000, 2500, 4530, 4999])
@pytest.mark.parametrize("seen", [400, 1200, 2800])
def test_coverage_for_a_split_of_5000(seen, right):
    total = 5000
    logs = [lgamma(n + 1) for n in range(total + 1)]

    def choose(n, k):
        return logs[n] - logs[k] - logs[n - k]

    covered = 0.0
    for hits in range(max(0, seen - (total - right)), min(seen, right) + 1):
        log_ways = choose(right, hits) + choose(total - right, seen - hits)
        probable = exp(log_ways - choose(total, seen))
        low, high = split_bounds(hits, seen, total) if probable > 1e-9 else (1, 0)
        covered += probable * (low <= right <= high)
    assert covered >= 0.95 - 1e-6


@pytest.mark.parametrize("seen", [1, 17, 400, 4999, 5000])
def test_bounds_increase_with_correct_count(seen):
    total, before = 5000, (0, 0)
    for correct in sorted({0, 1, seen // 3, seen // 2, seen - 1, seen}):
        low, high = split_bounds(correct, seen, total)
        assert correct <= low <= high <= total - (seen - correct)
        assert (low, high) >= before
        before = low, high


def test_bounds_narrow_with_sample_size():
    widths = [
        high - low
        for low, high in (
            split_bounds(seen * 9 // 10, seen, 5000) for seen in (100, 400, 1200, 2800)
        )
    ]
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize("total", [1, 7, 5000])
def test_bounds_have_zero_width_for_full_sample(total):
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
def test_wilson_matches_published_values(correct, examples, low, high):
    assert wilson(correct, examples) == pytest.approx((low, high), abs=5e-5)
    mirrored = wilson(examples - correct, examples)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=5e-5)


@pytest.mark.parametrize(("others", "variances"), [(25, 5), (100, 2), (10**9, 1)])
def test_the_variances_of_both_samples_are_added(others, variances):
    half = stats.norm.ppf(0.975) * sqrt(0.5 * 0.5 / 100 * variances)  # 96 examples and 4 more
    assert sampled_again(48, 96, others) == pytest.approx((0.5 - half, 0.5 + half))
    expected = (0.5 - half - 0.02, 0.5 + half - 0.02)
    assert expected_on_test(48, 96, others, 0.02) == pytest.approx(expected)
    assert sampled_again(96, 96, others)[1] == 1


def test_the_factorials_in_memory_are_bounded():
    for total in range(10, 10 + 2 * MOST_TOTALS):
        split_bounds(3, 5, total)
    assert _log_factorials.cache_info().currsize == MOST_TOTALS
