"""Fixtures: tensors of a checkpoint, and shards."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save_file


@pytest.fixture(autouse=True)
def _one_thread(threads):
    """One thread is fastest for small tensors."""


@pytest.fixture
def shards():
    """Write tensors as shards with an index into a folder, and return the index."""

    def write(folder, tensors, count):
        names = list(tensors)
        weight_map = {}
        for number in range(count):
            name = f"model-{number + 1:05}-of-{count:05}.safetensors"
            shard = {key: tensors[key] for key in names[number::count]}
            save_file(shard, folder / name)
            weight_map |= dict.fromkeys(shard, name)
        index = folder / "model.safetensors.index.json"
        index.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}), encoding="utf-8")
        return index

    return write


@pytest.fixture
def tensors():
    """Tensors of every dtype that checkpoints hold."""
    generator = torch.Generator().manual_seed(0)

    def normal(*shape):
        return torch.randn(shape, generator=generator)

    return {
        "embed.weight": normal(300, 64).bfloat16(),
        "layer.10.weight": normal(130, 70).half(),
        "layer.2.weight": normal(64, 3, 5, 5),
        "layer.2.bias": normal(64).bfloat16(),
        "double.weight": normal(20, 30).double(),
        "scale": normal(),
        "empty": normal(0, 3),
        "steps": torch.tensor(12),
        "ids": torch.arange(40, dtype=torch.int32).view(5, 8),
        "mask": torch.tensor([[True, False], [False, True]]),
        "counts": torch.tensor([1, 2**40], dtype=torch.uint64),
    }
