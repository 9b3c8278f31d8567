"""Multiply-adds of fused kernels, counted by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from workbench.evaluation.products import Products, unfused

T, B, I, H = 5, 2, 8, 16
CASES = {
    "lstm": (nn.LSTM(I, H, batch_first=True), (I,), 4 * H * (I + H) * B * T),
    "both ways": (
        nn.LSTM(I, H, batch_first=True, bidirectional=True),
        (I,),
        8 * H * (I + H) * B * T,
    ),
    "gru": (nn.GRU(I, H, batch_first=True), (I,), 3 * H * (I + H) * B * T),
    "encoder layer": (
        nn.TransformerEncoderLayer(I, 2, H, batch_first=True),
        (I,),
        B * T * (4 * I * I + 2 * T * I + 2 * I * H),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_products_of_fused_kernels_are_counted(case):
    module, size, expected = CASES[case]
    with torch.no_grad(), Products() as counted:
        unfused(module.eval())(torch.zeros(B, T, *size))
    assert counted.flops == 2 * expected
