"""The error of weights equals that of NumPy in float64."""

from __future__ import annotations

from math import inf, isclose

import numpy as np
import pytest
import torch

from workbench.compression.pieces import PIECE_SIZE
from workbench.compression.weight_error import WeightError, weight_error


def by_numpy(old, new):
    old, new = (np.asarray(x, np.float64).reshape(-1) for x in (old, new))
    difference = np.abs(new - old)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(difference > 0, difference / np.abs(old), 0)
    rms = np.sqrt(np.mean(difference**2) / np.mean(old**2))
    return rms, difference.max() / np.abs(old).max(), relative.max(), int((difference > 0).sum())


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1.0, 1e25])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_the_figures_are_those_of_numpy(dtype, scale) -> None:
    generator = torch.Generator().manual_seed(0)
    old = (torch.randn(2 * PIECE_SIZE + 77, generator=generator).double() * scale).to(dtype)
    new = (old.double() * (1 + 0.01 * torch.randn(old.shape, generator=generator))).to(dtype)
    new[::3] = old[::3]
    error = weight_error(old, new)
    rms, largest, relative, changed = by_numpy(old.double(), new.double())
    assert (error.count, error.changed, error.not_finite) == (old.numel(), changed, 0)
    for found, expected in ((error.rms, rms), (error.largest, largest)):
        assert isclose(found, expected, rel_tol=1e-5)
    assert isclose(error.max_relative, relative, rel_tol=1e-5)


def test_inputs_stay_unchanged() -> None:
    old, new = torch.randn(9).double(), torch.randn(9).double()
    before = old.clone(), new.clone()
    weight_error(old, new)
    assert torch.equal(old, before[0])
    assert torch.equal(new, before[1])


def test_zeros_that_change_have_an_infinite_relative_error() -> None:
    error = weight_error(torch.tensor([0.0, 2.0]), torch.tensor([1.0, 2.0]))
    assert (error.max_relative, error.largest, error.changed) == (inf, 0.5, 1)
    assert weight_error(torch.zeros(3), torch.ones(3)).rms == inf
    assert weight_error(torch.zeros(3), torch.zeros(3)) == WeightError(3)
    assert weight_error(torch.zeros(0), torch.zeros(0)) == WeightError()


def test_numbers_that_are_not_finite_are_counted_apart() -> None:
    old = torch.tensor([1.0, torch.nan, torch.inf, -torch.inf, 2.0, 3.0])
    new = torch.tensor([1.5, torch.nan, torch.inf, torch.inf, torch.nan, 3.0])
    error = weight_error(old, new)
    assert (error.count, error.changed, error.not_finite) == (6, 3, 2)
    assert (error.max_error, error.max_weight) == (0.5, 3.0)


@pytest.mark.parametrize(
    "dtype", [torch.int8, torch.uint8, torch.int64, torch.bool, torch.complex64]
)
def test_other_dtypes(dtype) -> None:
    old = torch.tensor([0, 1, 1, 0], dtype=dtype)
    new = torch.tensor([0, 1, 0, 0], dtype=dtype)
    assert weight_error(old, new).changed == 1
    assert weight_error(old, old).changed == 0
