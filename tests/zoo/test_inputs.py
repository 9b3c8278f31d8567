"""A layer's inputs, times its weights, are its outputs."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import workbench as wb
from workbench.zoo.inputs import watch


class Stub:
    """A model made of any module."""

    def __init__(self, module):
        self.module = lambda: module


@pytest.mark.parametrize(
    "layer",
    [
        nn.Linear(6, 4, bias=False),
        nn.Conv2d(3, 4, 3, bias=False),
        nn.Conv2d(3, 4, (3, 2), stride=2, padding=1, dilation=2, bias=False),
        nn.Conv2d(3, 4, 3, padding="same", bias=False),
    ],
)
def test_products_with_the_weights_are_the_outputs(layer):
    shape = (2, 5, 6) if isinstance(layer, nn.Linear) else (2, 3, 9, 8)
    batch = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    seen = {}
    watch(Stub(layer), dict(layer.state_dict()), batch, lambda name, x: seen.update({name: x}))
    with torch.no_grad():
        outputs = layer(batch)
        if not isinstance(layer, nn.Linear):
            outputs = outputs.movedim(1, -1)
        products = seen["weight"] @ layer.weight.flatten(1).T
        torch.testing.assert_close(products, outputs.flatten(0, -2), rtol=1e-4, atol=1e-5)


def test_layers_in_groups_are_passed_over():
    layer, seen = nn.Conv2d(4, 4, 3, groups=2), {}
    watch(Stub(layer), dict(layer.state_dict()), torch.randn(1, 4, 5, 5), seen.__setitem__)
    assert not seen


def test_every_layer_of_a_built_in_model_is_seen():
    model = wb.model("fashion/resnet")
    seen = {}
    batch = model.task.inputs(model.task.split("train").examples[:2])
    watch(model, model.weights(), batch, seen.__setitem__)
    weights = {name: weight for name, weight in model.weights().items() if weight.ndim >= 2}
    assert {n: x.shape[1] for n, x in seen.items()} == {n: w[0].numel() for n, w in weights.items()}
