"""Rounded inputs: sums are exactly those of integers, whatever computes them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from workbench.artifact.module_spec import InputQParams
from workbench.runtime.integer_layers import EXACT_FLOAT32, use_integer_inputs


def layer(kind: nn.Module, grid: InputQParams, codes: torch.Tensor, scale: torch.Tensor):
    made = use_integer_inputs(kind, grid)
    with torch.no_grad():
        made.weight.copy_(codes * scale.view(-1, *[1] * (codes.ndim - 1)))
        made.weight_scale.copy_(scale)
    return made.eval()


def expected(inputs, grid, codes, scale, bias):
    """Compute in NumPy's 64-bit integers, and in float64 what comes after."""
    x = np.rint(inputs.numpy() / grid.scale) + grid.zero_point
    x = x.clip(0, grid.top).astype(np.int64) - grid.zero_point
    sums = x @ codes.numpy().astype(np.int64).T
    assert np.abs(sums).max() < 2**31  # what 32-bit accumulators hold
    return sums * (scale.numpy().astype(np.float64) * grid.scale) + bias.numpy()


@pytest.mark.parametrize("wide", [7, 800, 4608])
@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("top", [1, 7, 127])
def test_linear_layer_equals_integer_arithmetic(wide, bits, top):
    lot = torch.Generator().manual_seed(wide + bits + top)
    grid = InputQParams(bits, 0.03, 2 ** (bits - 1) - 1)
    codes = torch.randint(-top, top + 1, (10, wide), generator=lot).float()
    inputs = torch.randn(32, wide, generator=lot).double() * 4
    scale = torch.rand(10, generator=lot) + 0.1
    kind = nn.Linear(wide, 10)
    made = layer(kind, grid, codes, scale)
    with torch.no_grad():
        found = made(inputs)
    wanted = expected(inputs, grid, codes, scale, kind.bias.detach())
    np.testing.assert_array_equal(found.numpy(), wanted)


def test_the_largest_sums_of_4608_inputs_are_exact():
    """All codes at their ends: 4,608 · 127 · 255 is far beyond what float32 holds exactly."""
    grid = InputQParams(8, 1.0, 0)
    codes = torch.full((2, 4608), 127.0)
    codes[1, -1] = 126
    inputs = torch.full((1, 4608), 255.0).double()
    kind = nn.Linear(4608, 2, bias=False)
    made = layer(kind, grid, codes, torch.ones(2))
    with torch.no_grad():
        found = made(inputs)[0].tolist()
    assert found == [4608 * 127 * 255, 4608 * 127 * 255 - 255]
    assert found[0] > EXACT_FLOAT32
    narrow = nn.functional.linear(inputs.float(), codes).double()[0].tolist()
    assert narrow != found  # float32 alone gets it wrong, so the test can fail


@pytest.mark.parametrize(
    "kind", [nn.Conv2d(3, 5, 3, padding=1), nn.Conv2d(3, 5, (3, 2), stride=2, dilation=2)]
)
def test_convolution_equals_integer_arithmetic(kind):
    lot = torch.Generator().manual_seed(0)
    grid = InputQParams(8, 0.05, 30)
    codes = torch.randint(-127, 128, kind.weight.shape, generator=lot).float()
    inputs = torch.randn(2, 3, 9, 8, generator=lot).double() * 3
    made = layer(kind, grid, codes, torch.full((5,), 0.02))
    x = (inputs / grid.scale).round().add(30).clamp(0, 255) - 30
    with torch.no_grad():
        sums = kind._conv_forward(x, codes.double(), None)
        found = made(inputs)
    wanted = sums * (torch.full((5,), 0.02).double() * 0.05).view(1, -1, 1, 1)
    assert torch.equal(found, wanted + kind.bias.double().view(1, -1, 1, 1))
    assert not kind.padding[0] or float(x.min()) < 0  # padding is the value zero, not the code


def test_weights_that_are_no_integers_are_multiplied_in_float64():
    grid = InputQParams(8, 0.1, 0)
    weight = torch.randn(4, 9, generator=torch.Generator().manual_seed(3))
    made = layer(nn.Linear(9, 4, bias=False), grid, weight, torch.ones(4))
    inputs = torch.rand(5, 9).double() * 20
    with torch.no_grad():
        found = made(inputs)
    rounded = (inputs / 0.1).round().clamp(0, 255)
    torch.testing.assert_close(found, rounded @ weight.double().T * 0.1, rtol=1e-12, atol=1e-12)
