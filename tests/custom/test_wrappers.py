"""Removing wrappers and pruning masks from modules."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.raises import raises
from workbench.custom.wrappers import unwrap, without_masks


def test_wrappers_are_removed():
    inner = nn.Linear(3, 2)
    compiled = torch.compile(inner, backend="eager")
    wrapped = [
        nn.DataParallel(inner),
        compiled,
        nn.DataParallel(compiled),
    ]
    assert all(unwrap(module) is inner for module in wrapped)
    averaged = torch.optim.swa_utils.AveragedModel(inner)
    assert unwrap(averaged) is averaged.module
    with pytest.warns(DeprecationWarning, match="jit"):
        traced = torch.jit.trace(inner, torch.zeros(1, 3))
    with raises("module.torchscript", "The module was compiled by torch.jit"):
        unwrap(traced)
    with raises("module.torchscript", "The part '1.0' of the module"):
        unwrap(nn.Sequential(inner, nn.Sequential(traced)))


def test_masks_are_multiplied_into_the_weights_of_a_copy():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
    nn.utils.prune.l1_unstructured(module[0], "weight", 0.5)
    nn.utils.prune.random_unstructured(module[2], "bias", 1)
    before = [name for name, _ in module.named_parameters()]
    x = torch.randn(4, 6)
    expected = module(x)
    folded, masked = without_masks(module)
    assert masked == ("0.weight", "2.bias")
    assert [name for name, _ in module.named_parameters()] == before
    assert torch.equal(folded(x), expected)
    assert int((folded[0].weight == 0).sum()) == 15
    assert folded[2].weight is module[2].weight
    assert without_masks(folded) == (folded, ())
