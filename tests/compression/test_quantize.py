"""Quantized values equal torch's fake quantization with the same scales; codes fit their bits."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings, strategies as st

from tests.raises import raises
from workbench.compression.coded import Codes
from workbench.compression.quantize import quantize
from workbench.recipe import Quantize

SCHEMES = ("symmetric", "affine")
BITS = range(2, 9)
GRANULARITIES = (("tensor", 64), ("channel", 64), ("group", 8), ("group", 27), ("group", 64))


def weight(shape=(12, 5, 3, 3), seed=0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(shape, generator=generator) + 0.1
    return values * torch.rand((shape[0], *[1] * (len(shape) - 1)), generator=generator)


def faked(tensor: torch.Tensor, codes: Codes) -> torch.Tensor:
    """Fake-quantize `tensor` with torch and the same scales, zero points and codes."""
    top = 2**codes.bits - (1 if codes.affine else 2)
    rows = tensor.reshape(codes.rows, -1)
    runs = -(-rows.shape[1] // codes.group)
    scale = torch.from_numpy(codes.scale).view(codes.rows, runs)
    zero = torch.from_numpy(codes.zero_point).view(codes.rows, runs).int()
    if scale.numel() == 1:
        return torch.fake_quantize_per_tensor_affine(tensor, scale[0, 0], zero[0, 0], 0, top)
    pieces = [
        torch.fake_quantize_per_channel_affine(piece, scale[:, k], zero[:, k], 0, 0, top)
        for k, piece in enumerate(rows.split(codes.group, dim=1))
    ]
    return torch.cat(pieces, dim=1).view(tensor.shape)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize("bounds", ["minmax", "percentile", "mse"])
def test_values_match_fake_quantize(bits, scheme, granularity, bounds) -> None:
    tensor = weight()
    chosen = Quantize(bits, "bf16", scheme, *granularity, range=bounds, percentile=97)
    codes = quantize("w", tensor, chosen)
    assert isinstance(codes, Codes)
    assert torch.equal(codes.tensor(), faked(tensor, codes))


@pytest.mark.slow
@settings(deadline=None)
@given(
    st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=1, max_size=40),
    st.sampled_from(BITS),
    st.sampled_from(SCHEMES),
    st.sampled_from(GRANULARITIES),
)
def test_values_of_any_size(values, bits, scheme, granularity) -> None:
    tensor = torch.tensor([values, values[::-1]])
    codes = quantize("w", tensor, Quantize(bits, "bf16", scheme, *granularity))
    decoded = codes.tensor()
    assert torch.isfinite(decoded).all()
    assert codes.codes.max() <= 2**bits - (1 if scheme == "affine" else 2)
    torch.testing.assert_close(decoded, faked(tensor, codes), rtol=0, atol=0)
    step = codes.scale.max()
    assert (decoded - tensor).abs().max() <= step * (1 if scheme == "affine" else 0.5001)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("bits", BITS)
def test_zero_stays_zero(scheme, bits) -> None:
    tensor = weight()
    tensor[tensor.abs() < 0.2] = 0
    decoded = quantize("w", tensor, Quantize(bits, scheme=scheme, range="mse")).tensor()
    assert not decoded[tensor == 0].any()


@pytest.mark.parametrize(("name", "dtype"), [("bf16", torch.bfloat16), ("fp16", torch.float16)])
def test_16_bits_are_a_cast(name, dtype) -> None:
    tensor = weight() * torch.logspace(-9, 4, 12).view(12, 1, 1, 1)
    coded = quantize("w", tensor, Quantize(16, name))
    assert torch.equal(coded.tensor(), tensor.to(dtype).float())


def test_32_bits_and_excluded_tensors_do_not_change() -> None:
    tensor = weight()
    for chosen in (Quantize(32), Quantize(4, exclude=("w",)), Quantize(4, layers={"w": 32})):
        assert torch.equal(quantize("w", tensor, chosen).tensor(), tensor)


def test_bits_of_single_layers() -> None:
    chosen = Quantize(4, layers={"w": 7})
    assert quantize("w", weight(), chosen).bits == 7
    assert quantize("v", weight(), chosen).bits == 4


@pytest.mark.parametrize(
    ("chosen", "value", "facts"),
    [
        (Quantize(16, "fp16"), 70_000.0, ("w holds 70000", "fp16", "choose bf16")),
        (Quantize(16, "bf16"), 3.4e38, ("bf16", "choose 32 bits")),
        (Quantize(8, scheme="affine"), 3.4e38, ("8-bit", "choose 32 bits")),
        (Quantize(8), 1e300, ("8-bit",)),
    ],
)
def test_values_that_do_not_fit_are_refused(chosen, value, facts) -> None:
    dtype = torch.float64 if value > 1e39 else torch.float32
    with raises("recipe.weight_too_large", *facts):
        quantize("w", torch.tensor([[value, -value]], dtype=dtype), chosen)
