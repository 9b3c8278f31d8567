"""Encoders of PyTorch without their fused path."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from workbench.runtime.unfused import unfuse


@pytest.mark.parametrize("norm", [None, "layer"])
@pytest.mark.parametrize("padded", [None, "bool", "float"])
def test_an_unfused_encoder_equals_the_fused_one(norm, padded):
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    final = nn.LayerNorm(8) if norm else None
    encoder = nn.TransformerEncoder(layer, 2, norm=final).eval()
    for parameter in encoder.parameters():
        nn.init.normal_(parameter, 0, 0.3)
    x = torch.randn(3, 6, 8)
    padding = torch.arange(6) >= torch.tensor([[6], [4], [2]]) if padded else None
    if padded == "float":
        padding = torch.zeros(3, 6).masked_fill(padding, -torch.inf)
    calls = []
    unfused = unfuse(copy.deepcopy(encoder))
    unfused.layers[1].linear1.register_forward_hook(lambda *_: calls.append(1))
    with torch.no_grad():
        expected = encoder(x, src_key_padding_mask=padding)
        actual = unfused(x, src_key_padding_mask=padding)
        copied = copy.deepcopy(unfused)(x, src_key_padding_mask=padding)
    assert calls
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(copied, expected, rtol=1e-5, atol=1e-5)
    if padded and norm is None:
        assert bool((expected[2, 2:] == 0).all())  # PyTorch sets padding to zero
