"""The network for pictures learns textures and shapes, at each size and in gray and color."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from workbench.custom.pictures.inspection import SIZES
from workbench.custom.pictures.network import picture_network
from workbench.custom.prediction.network import build_layers, check_layers, describe_layers
from workbench.custom.uploads import small_models
from workbench.custom.uploads.splits import UploadedData, split_rows


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
def test_each_size_has_a_network_that_a_file_can_describe(size, channels):
    network = picture_network(channels, size, 5).eval()
    assert network(torch.zeros(2, channels, size, size)).shape == (2, 5)
    layers = describe_layers(network)
    check_layers(layers, (channels, size, size))
    assert describe_layers(build_layers(layers)) == layers
    assert sum(weight.numel() for weight in network.parameters()) < 40_000


def textures(size, rows=90):
    """Return stripes across, stripes down and checks, of any phase, contrast and color."""
    rng = np.random.default_rng(0)
    labels = np.arange(rows) % 3
    y, x = np.mgrid[:size, :size] // (size // 14)
    images = np.empty((rows, size, size, 3), np.uint8)
    for row, label in enumerate(labels):
        shift = rng.integers(0, 4)
        lines = [(x + shift) % 4 < 2, (y + shift) % 4 < 2, ((x + shift) // 2 + y // 2) % 2 == 0]
        pattern = lines[label][..., None] * rng.integers(60, 150, 3) + rng.integers(0, 60, 3)
        images[row] = np.clip(pattern + rng.normal(0, 10, (size, size, 3)), 0, 255)
    parts = split_rows(labels)
    return UploadedData({n: (images[r], labels[r]) for n, r in parts.items()}, (*"abc",), "image")


@pytest.mark.slow
def test_textures_are_learned_at_64_pixels(monkeypatch):
    monkeypatch.setattr(small_models, "STEPS", {"custom": 1, "image": 60})
    model = small_models.train_small_model("textures", textures(64))
    assert model.accuracy("validation") > 0.9
    assert model.accuracy("test") > 0.9
