"""Multiply-adds of fused kernels, computed by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from workbench.profiling.macs import FlopCounter
from workbench.runtime.unfused import unfuse

T, B, N, H = 5, 2, 8, 16
CASES = {
    "lstm": (nn.LSTM(N, H, batch_first=True), (N,), 4 * H * (N + H) * B * T),
    "both ways": (
        nn.LSTM(N, H, batch_first=True, bidirectional=True),
        (N,),
        8 * H * (N + H) * B * T,
    ),
    "gru": (nn.GRU(N, H, batch_first=True), (N,), 3 * H * (N + H) * B * T),
    "encoder layer": (
        nn.TransformerEncoderLayer(N, 2, H, batch_first=True),
        (N,),
        B * T * (4 * N * N + 2 * T * N + 2 * N * H),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_flops_of_fused_kernels(case):
    module, size, expected = CASES[case]
    with torch.no_grad(), FlopCounter() as counter:
        unfuse(module.eval())(torch.zeros(B, T, *size))
    assert counter.flops == 2 * expected
