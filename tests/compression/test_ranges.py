"""Each range has the properties that its name says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as arrays

from workbench.compression.qparams import QParams
from workbench.compression.ranges import RANGES, least_squares, minmax, percentile
from workbench.recipe import Quantize
from workbench.recipe.quantize import RANGES as CHOICES

SCHEMES = ("symmetric", "affine")
ROWS = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.integers(1, 300)),
    elements=st.floats(-100, 100, width=32),
)


def test_every_choice_has_its_function() -> None:
    assert set(RANGES) == {choice.value for choice in CHOICES}


@pytest.mark.slow
@settings(deadline=None)
@given(ROWS)
def test_min_max_covers_every_value_and_zero(rows) -> None:
    low, high = minmax(torch.from_numpy(rows), Quantize(), 8)
    np.testing.assert_array_equal(low, np.minimum(rows.min(axis=1), 0))
    np.testing.assert_array_equal(high, np.maximum(rows.max(axis=1), 0))


@pytest.mark.slow
@settings(deadline=None)
@given(ROWS, st.floats(90, 100))
def test_symmetric_percentile_is_the_quantile_of_absolute_values(rows, percent) -> None:
    percent = round(percent, 3)
    low, high = percentile(torch.from_numpy(rows), Quantize(percentile=percent), 8)
    for row, bottom, top in zip(rows, low, high, strict=True):
        # the smallest nonzero value with at least that percentage at or below it
        ranked = np.sort(np.abs(row[row != 0]))
        n = ranked.size
        if n:
            rank = next(k for k in range(1, n + 1) if k * 100_000 >= round(percent * 1000) * n)
            assert top == ranked[rank - 1]
        else:
            assert top == 0
        assert bottom == -top


@pytest.mark.parametrize("percent", [90.0, 95.5, 99.0, 100.0])
def test_percentile_matches_numpy_inverted_cdf(percent) -> None:
    rows = torch.randn(3, 777, generator=torch.Generator().manual_seed(0))
    _, high = percentile(rows, Quantize(percentile=percent), 8)
    expected = np.quantile(rows.abs().numpy(), percent / 100, axis=1, method="inverted_cdf")
    np.testing.assert_array_equal(high, expected)
    below = torch.quantile(rows.abs(), percent / 100, dim=1, interpolation="lower")
    above = torch.quantile(rows.abs(), percent / 100, dim=1, interpolation="higher")
    assert ((below <= high) & (high <= above)).all()


@pytest.mark.parametrize("length", [1, 10, 1000, 1024, 2000])
def test_affine_percentile_excludes_the_same_number_at_each_end(length) -> None:
    rows = torch.randperm(length, generator=torch.Generator().manual_seed(0)) - length // 2
    rows = (rows + 0.5).view(1, -1)
    low, high = percentile(rows, Quantize(scheme="affine", percentile=99.0), 8)
    assert (rows < low).sum() == (rows > high).sum() == int(length * 0.005)


def test_percentile_is_exact_despite_float_arithmetic() -> None:
    rows = torch.arange(1.0, 1001).view(1, -1)
    _, high = percentile(rows, Quantize(percentile=99.9), 8)  # 0.999… × 1,000 > 999 in floats
    assert high.item() == 999


@pytest.mark.slow
@settings(deadline=None)
@given(ROWS, st.integers(2, 8), st.sampled_from(SCHEMES))
def test_least_squares_is_never_worse_than_min_max(rows, bits, scheme) -> None:
    values = torch.from_numpy(rows)
    chosen = Quantize(bits=bits, scheme=scheme)

    def error(bounds) -> torch.Tensor:
        rounded = QParams.from_range(*bounds(values, chosen, bits), scheme, bits).round(values)
        return (rounded - values).double().square().sum(dim=1)

    least, widest = error(least_squares), error(minmax)
    assert (least <= widest * (1 + 1e-5)).all()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_least_squares_is_narrower_on_normal_weights(scheme) -> None:
    values = torch.randn(4, 5000, generator=torch.Generator().manual_seed(0))
    low, high = least_squares(values, Quantize(scheme=scheme), 3)
    full_low, full_high = minmax(values, Quantize(scheme=scheme), 3)
    assert (high - low < 0.9 * (full_high - full_low)).all()


@pytest.mark.parametrize("scheme", ["symmetric", "affine"])
def test_percentile_ignores_zeros(scheme) -> None:
    rows = torch.zeros(1, 1000)
    rows[0, :20] = torch.linspace(-1, 1, 20)
    low, high = percentile(rows, Quantize(scheme=scheme, percentile=95.0), 8)
    assert high.item() > 0.8
    assert low.item() < -0.8
