"""Layers with quantized inputs: their sums are exactly those of integer arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from workbench.artifact.module_spec import InputQParams
from workbench.runtime.integer_layers import EXACT_FLOAT32, use_integer_inputs, whole_bias


def layer(kind: nn.Module, qparams: InputQParams, codes: torch.Tensor, scale: torch.Tensor):
    result = use_integer_inputs(kind, qparams)
    with torch.no_grad():
        result.weight.copy_(codes * scale.view(-1, *[1] * (codes.ndim - 1)))
        result.weight_scale.copy_(scale)
    return result.eval()


def expected(inputs, qparams, codes, scale, bias):
    """Compute the sums in 64-bit integers and the scaling in float64."""
    x = np.rint(inputs.numpy() / qparams.scale) + qparams.zero_point
    x = x.clip(0, qparams.top).astype(np.int64) - qparams.zero_point
    sums = x @ codes.numpy().astype(np.int64).T
    assert np.abs(sums).max() < 2**31  # the range of 32-bit accumulators
    return sums * (scale.numpy().astype(np.float64) * qparams.scale) + bias.numpy()


@pytest.mark.parametrize("wide", [7, 800, 4608])
@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("top", [1, 7, 127])
def test_linear_layer_equals_integer_arithmetic(wide, bits, top):
    generator = torch.Generator().manual_seed(wide + bits + top)
    qparams = InputQParams(bits, 0.03, 2 ** (bits - 1) - 1)
    codes = torch.randint(-top, top + 1, (10, wide), generator=generator).float()
    inputs = torch.randn(32, wide, generator=generator).double() * 4
    scale = torch.rand(10, generator=generator) + 0.1
    kind = nn.Linear(wide, 10)
    quantized = layer(kind, qparams, codes, scale)
    with torch.no_grad():
        outputs = quantized(inputs)
    reference = expected(inputs, qparams, codes, scale, kind.bias.detach())
    np.testing.assert_array_equal(outputs.numpy(), reference)


def test_whole_biases_and_quantized_outputs_equal_integer_arithmetic():
    generator = torch.Generator().manual_seed(3)
    inputs_qparams, outputs_qparams = InputQParams(8, 0.03, 90), InputQParams(8, 0.11, 128)
    codes = torch.randint(-127, 128, (10, 40), generator=generator).float()
    inputs = torch.randn(32, 40, generator=generator).double()
    scale = torch.rand(10, generator=generator) * 0.01 + 0.001
    kind = use_integer_inputs(nn.Linear(40, 10), inputs_qparams, outputs_qparams, whole_biases=True)
    with torch.no_grad():
        kind.weight.copy_(codes * scale.view(-1, 1))
        kind.weight_scale.copy_(scale)
        outputs = kind(inputs).numpy()
    unit = scale.numpy().astype(np.float64) * inputs_qparams.scale
    whole = np.rint(kind.bias.detach().numpy().astype(np.float64) / unit).astype(np.int64)
    x = (np.rint(inputs.numpy() / 0.03) + 90).clip(0, 255).astype(np.int64) - 90
    sums = x @ codes.numpy().astype(np.int64).T + whole
    steps = (np.rint(sums * unit / 0.11) + 128).clip(0, 255) - 128
    np.testing.assert_array_equal(outputs, steps * 0.11)
    assert not np.allclose(whole * unit, kind.bias.detach().numpy(), atol=1e-9, rtol=0)


def test_a_bias_that_does_not_fit_32_bits_is_cut_off():
    bias = torch.tensor([1e6, -1e6, 0.5])
    whole = whole_bias(bias, torch.tensor([1e-6, 1e-6, 1.0]), 1e-3)
    assert whole.tolist() == [2**31 - 1, -(2**31) + 1, 500]


def test_largest_sums_of_4608_inputs_are_exact():
    """Extreme codes: float32 cannot represent 4,608 · 127 · 255 exactly."""
    qparams = InputQParams(8, 1.0, 0)
    codes = torch.full((2, 4608), 127.0)
    codes[1, -1] = 126
    inputs = torch.full((1, 4608), 255.0).double()
    kind = nn.Linear(4608, 2, bias=False)
    quantized = layer(kind, qparams, codes, torch.ones(2))
    with torch.no_grad():
        outputs = quantized(inputs)[0].tolist()
    assert outputs == [4608 * 127 * 255, 4608 * 127 * 255 - 255]
    assert outputs[0] > EXACT_FLOAT32
    narrow = nn.functional.linear(inputs.float(), codes).double()[0].tolist()
    assert narrow != outputs  # float32 alone is inexact, so the test can fail


@pytest.mark.parametrize(
    "kind", [nn.Conv2d(3, 5, 3, padding=1), nn.Conv2d(3, 5, (3, 2), stride=2, dilation=2)]
)
def test_convolution_equals_integer_arithmetic(kind):
    generator = torch.Generator().manual_seed(0)
    qparams = InputQParams(8, 0.05, 30)
    codes = torch.randint(-127, 128, kind.weight.shape, generator=generator).float()
    inputs = torch.randn(2, 3, 9, 8, generator=generator).double() * 3
    quantized = layer(kind, qparams, codes, torch.full((5,), 0.02))
    x = (inputs / qparams.scale).round().add(30).clamp(0, 255) - 30
    with torch.no_grad():
        sums = kind._conv_forward(x, codes.double(), None)
        outputs = quantized(inputs)
    reference = sums * (torch.full((5,), 0.02).double() * 0.05).view(1, -1, 1, 1)
    assert torch.equal(outputs, reference + kind.bias.double().view(1, -1, 1, 1))
    assert not kind.padding[0] or float(x.min()) < 0  # padding is the value zero, not the code zero


def test_weights_without_uniform_quantization_use_float64():
    qparams = InputQParams(8, 0.1, 0)
    weight = torch.randn(4, 9, generator=torch.Generator().manual_seed(3))
    quantized = layer(nn.Linear(9, 4, bias=False), qparams, weight, torch.ones(4))
    inputs = torch.rand(5, 9).double() * 20
    with torch.no_grad():
        outputs = quantized(inputs)
    rounded = (inputs / 0.1).round().clamp(0, 255)
    torch.testing.assert_close(outputs, rounded @ weight.double().T * 0.1, rtol=1e-12, atol=1e-12)
