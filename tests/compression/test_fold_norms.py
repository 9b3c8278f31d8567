"""Folding batch norm and equalizing ranges do not change the outputs of the network."""

from __future__ import annotations

import torch
from torch import nn
from torch.func import functional_call

from workbench.compression.channels import Group, Member
from workbench.compression.covariance import InputCovariance
from workbench.compression.equalize import equalize
from workbench.compression.fold_norms import Fold, fold
from workbench.compression.stats import CalibrationStats


def network(bias: bool) -> nn.Sequential:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(2, 6, 3, bias=bias),
        nn.BatchNorm2d(6, eps=1e-3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(6 * 16, 5),
    )
    with torch.no_grad():
        for tensor in (*module[1].parameters(), module[1].running_mean, module[1].running_var):
            tensor.copy_(torch.rand(6) + 0.1)
        module[1].weight[2] = 0
        module[1].weight[3] *= -1
    return module.eval()


def test_folded_network_has_the_same_outputs():
    inputs = torch.randn(4, 2, 6, 6)
    for bias in (True, False):
        module = network(bias)
        weights = module.state_dict()
        folded_weights, _ = fold(weights, [Fold("1", "0", 1e-3)], CalibrationStats())
        assert list(folded_weights) == ["0.weight", "0.bias", "4.weight", "4.bias"]
        folded = nn.Sequential(nn.Conv2d(2, 6, 3), nn.Identity(), *module[2:])
        outputs = functional_call(folded, folded_weights, (inputs,), strict=True)
        torch.testing.assert_close(outputs, module(inputs), rtol=1e-4, atol=1e-5)
        assert weights["0.weight"] is module[0].weight or torch.equal(
            weights["0.weight"], module[0].weight
        )


def test_gradients_follow_the_folded_weights():
    """By the chain rule, the gradient is divided by the factor of each channel."""
    module = network(bias=False)
    weights = dict(module.state_dict())
    inputs, labels = torch.randn(8, 2, 6, 6), torch.randint(5, (8,))

    def gradient(shell, tensors, name):
        tensors = dict(tensors) | {name: tensors[name].clone().requires_grad_()}
        loss = nn.functional.cross_entropy(functional_call(shell, tensors, (inputs,)), labels)
        (result,) = torch.autograd.grad(loss, [tensors[name]])
        return result.abs()

    stats = CalibrationStats(gradients={"0.weight": gradient(module, weights, "0.weight")})
    folded_weights, folded_stats = fold(weights, [Fold("1", "0", 1e-3)], stats)
    folded = nn.Sequential(nn.Conv2d(2, 6, 3), nn.Identity(), *module[2:])
    alive = weights["1.weight"] != 0
    torch.testing.assert_close(
        folded_stats.gradients["0.weight"][alive],
        gradient(folded, folded_weights, "0.weight")[alive],
        rtol=1e-3,
        atol=1e-6,
    )


def pair() -> tuple[dict[str, torch.Tensor], Group]:
    torch.manual_seed(1)
    weights = {
        "a.weight": torch.randn(6, 4) * torch.logspace(-2, 2, 6).unsqueeze(1),
        "a.bias": torch.randn(6),
        "b.weight": torch.randn(3, 6),
        "b.bias": torch.randn(3),
    }
    weights["a.weight"][4] = 0  # a channel that is never used
    places = torch.arange(6).unsqueeze(1)
    members = (
        Member("a.weight", 0, "makes", places),
        Member("a.bias", 0, "follows", places),
        Member("b.weight", 1, "takes", places),
    )
    return weights, Group(members)


def outputs(weights, inputs):
    hidden = torch.relu(nn.functional.linear(inputs, weights["a.weight"], weights["a.bias"]))
    return hidden, nn.functional.linear(hidden, weights["b.weight"], weights["b.bias"])


def test_equalized_layers_have_equal_ranges_and_the_same_outputs():
    weights, group = pair()
    inputs = torch.randn(50, 4)
    hidden, expected = outputs(weights, inputs)
    stats = CalibrationStats(covariances={"b.weight": InputCovariance(hidden.T @ hidden / 50)})
    scaled, scaled_stats = equalize(weights, [group], stats)
    scaled_hidden, result = outputs(scaled, inputs)
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-4)
    first = scaled["a.weight"].abs().amax(dim=1)
    second = scaled["b.weight"].abs().amax(dim=0)
    used = first > 0
    torch.testing.assert_close(first[used], second[used], rtol=1e-5, atol=0)
    torch.testing.assert_close(
        scaled_stats.covariances["b.weight"].matrix,
        scaled_hidden.T @ scaled_hidden / 50,
        rtol=1e-3,
        atol=1e-5,
    )
    spread = weights["a.weight"].abs().amax(dim=1)[used]
    assert first[used].max() / first[used].min() < 0.5 * spread.max() / spread.min()
