"""The layers of a network as plain data: built again without values, refused if hostile."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from tests.raises import raises
from workbench.custom.pictures.network import picture_network
from workbench.custom.prediction.network import build_layers, check_layers, describe_layers
from workbench.custom.uploads.small_models import mlp

IMAGE = (3, 28, 28)
NETWORKS = {
    "table": (lambda: mlp(11, 3), (11,)),
    "images": (lambda: picture_network(3, 28, 5), IMAGE),
    "norms": (
        lambda: nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1, bias=False),
            nn.BatchNorm2d(8),
            nn.GELU(),
            nn.Conv2d(8, 8, 3, groups=4),
            nn.AvgPool2d(2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(8, 2),
            nn.BatchNorm1d(2),
        ),
        IMAGE,
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_built_again_without_values(name):
    make, example = NETWORKS[name]
    network = make()
    layers = describe_layers(network)
    built = build_layers(layers)
    shapes = {key: value.shape for key, value in network.state_dict().items()}
    assert {key: value.shape for key, value in built.state_dict().items()} == shapes
    assert all(tensor.is_meta for tensor in built.state_dict().values())
    assert not built.training
    batch = torch.zeros((2, *example))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.eval()(batch)
    cost = check_layers(layers, example)
    assert cost.macs == counter.get_total_flops() // 4
    sizes = [network[:n](batch)[0].numel() for n in range(len(network) + 1)]
    assert cost.activations == max(sizes)


class Other(nn.ReLU):
    """A layer with code of its own."""


@pytest.mark.parametrize(
    ("network", "code"),
    [
        (nn.Linear(2, 2), "network.not_sequential"),
        (nn.Sequential(nn.GRU(2, 2)), "network.unknown_layer"),
        (nn.Sequential(Other()), "network.unknown_layer"),
        (nn.Sequential(nn.Conv2d(1, 1, (1, 3))), "network.unknown_layer"),
        (nn.Sequential(nn.Conv2d(1, 1, 3, dilation=2)), "network.unknown_layer"),
        (nn.Sequential(nn.Flatten(0)), "network.unknown_layer"),
    ],
)
def test_other_networks_are_not_described(network, code):
    with raises(code):
        describe_layers(network)


HOSTILE = {
    "nothing": [],
    "too many layers": [["relu"]] * 101,
    "no list": ["relu"],
    "no name": [[]],
    "code": [["__import__", "os"]],
    "name in a list": [[["relu"]]],
    "no numbers": [["linear"]],
    "too many numbers": [["relu", 1]],
    "negative size": [["linear", -11, 2, 1]],
    "no size": [["linear", 11, 0, 1]],
    "huge size": [["linear", 11, 2**40, 1]],
    "fraction": [["linear", 11.0, 2, 1]],
    "Boolean": [["linear", 11, 2, True]],
    "other bias": [["linear", 11, 2, 2]],
    "text": [["linear", "11", 2, 1]],
    "huge padding": [["conv2d", 11, 2, 1, 1, 2**20, 1, 1]],
    "no groups": [["conv2d", 11, 2, 1, 1, 0, 0, 1]],
}
UNFIT = {
    "other inputs": ([["linear", 12, 2, 1]], (11,)),
    "other sizes": ([["linear", 11, 5, 1], ["linear", 6, 2, 1]], (11,)),
    "groups": ([["conv2d", 3, 4, 1, 1, 0, 2, 1]], IMAGE),
    "too small": ([["max_pool2d", 32, 1, 0]], IMAGE),
    "padding": ([["max_pool2d", 2, 1, 2]], IMAGE),
    "norm": ([["flatten"], ["batch_norm1d", 5]], IMAGE),
    "norm of no picture": ([["batch_norm2d", 11]], (11,)),
    "pooled features": ([["mean_pool2d", 1]], (11,)),
    "linear without flattening": ([["linear", 28, 2, 1]], IMAGE),
    "vast activations": ([["conv2d", 3, 2**20, 1, 1, 0, 1, 1]], IMAGE),
    "growing": ([["avg_pool2d", 32, 1, 16], ["conv2d", 3, 3, 1, 1, 32, 1, 1]] * 50, IMAGE),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_descriptions_are_refused(name):
    with raises("artifact.unknown_network"):
        check_layers(HOSTILE[name], (11,))


@pytest.mark.parametrize("name", UNFIT)
def test_layers_that_do_not_fit_together_are_refused(name):
    with raises("artifact.invalid_network"):
        check_layers(*UNFIT[name])
