"""Stages of a pipeline: together they compute what the network computes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.raises import raises
from workbench.parallel.rank.stages import cut
from workbench.runtime.batch import Batch, outputs_of
from workbench.zoo.registry import architecture

NETWORKS = {
    "fashion/lenet5": torch.rand(4, 1, 28, 28),
    "fashion/resnet": torch.rand(4, 1, 28, 28),
    "reviews/transformer": torch.arange(4 * 20).reshape(4, 20) % 17,
    "reviews-lm/gpt": torch.arange(4 * 16).reshape(4, 16) % 60,
    "vowels/cnn": torch.rand(4, 9, 12),  # its forward pass reads the dtype of a weight
}


class Undecided(nn.Module):
    """Decides by a size and by an option, which tracing alone cannot follow."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x, scale=None):
        if x.shape[0] > 10_000 or scale is not None:
            x = x * scale
        return {"logits": self.last(self.first(x).relu())}


class Unknowable(nn.Module):
    """Decides by a value."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x):
        x = self.first(x)
        return self.last(x if x.sum() > 0 else -x)


class Viewed(nn.Module):
    """Changes a value in place through a view of it."""

    def __init__(self):
        super().__init__()
        self.first, self.middle, self.last = nn.Linear(6, 8), nn.Linear(4, 4), nn.Linear(8, 3)

    def forward(self, x):
        hidden = self.first(x)
        part = hidden[:, :4]
        part += self.middle(part.relu())
        return self.last(hidden)


class Backward(torch.autograd.Function):
    """The identity, with a gradient of the other sign."""

    @staticmethod
    def forward(_ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(_ctx, gradient):
        return -gradient


class OwnBackward(nn.Module):
    """Has a backward pass that is not that of its operations."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x):
        return self.last(Backward.apply(self.first(x).relu()))


class Cleared(nn.Module):
    """Changes a copy of its inputs in place."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x):
        x = x.clone()
        x[:, :3] = 0
        return self.last(self.first(x).relu())


def run(parts, inputs):
    received = []
    for part in parts[:-1]:
        received = list(part.module(*inputs.tensors, *received))
    return outputs_of(parts[-1].module(*inputs.tensors, *received))


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("count", [2, 3])
def test_stages_compute_the_outputs_of_the_network(name, count):
    module, inputs = architecture(name).build().eval(), Batch.of(NETWORKS[name])
    parts = cut(module, count, inputs[:2], 4)
    assert torch.equal(run(parts, inputs), module(*inputs.tensors))
    held = [{id(p) for p in part.module.parameters()} for part in parts]
    assert set.union(*held) == {id(p) for p in module.parameters()}
    twice = sum(map(len, held)) - len(set.union(*held))
    assert twice == (name == "reviews-lm/gpt")  # the tied embedding is in the first and last stage


def test_costs_are_balanced():
    module = nn.Sequential(*(nn.Linear(8, 8) for _layer in range(6)))
    parts = cut(module, 3, Batch.of(torch.rand(2, 8)), 16)
    assert len({part.cost for part in parts}) == 1


def test_a_network_that_cannot_be_traced_is_exported():
    module, inputs = Undecided().eval(), Batch.of(torch.rand(5, 6))
    parts = cut(module, 2, inputs, 5)
    assert torch.equal(run(parts, inputs), module(*inputs.tensors)["logits"])
    assert [len(list(part.module.parameters())) for part in parts] == [2, 2]


def test_a_decision_by_values_is_refused():
    with raises("parallel.not_traceable"):
        cut(Unknowable(), 2, Batch.of(torch.rand(2, 6)), 2)
    with raises("parallel.many_inputs"):
        cut(Undecided(), 2, Batch.of([torch.rand(2, 6)] * 4), 2)
    with raises("parallel.too_few_layers", 3):
        cut(Undecided(), 3, Batch.of(torch.rand(2, 6)), 2)


@pytest.mark.parametrize(("network", "count"), [(Viewed, 3), (Cleared, 2), (OwnBackward, 2)])
def test_stages_that_compute_something_else_are_refused(network, count):
    with raises("parallel.stages_differ", "zero3"):
        cut(network().eval(), count, Batch.of(torch.rand(2, 6)), 2)
