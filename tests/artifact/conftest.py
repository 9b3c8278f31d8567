"""Fixtures: the independent reader and a small file."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch

from tests.measuring import shortened
from workbench.artifact.artifact import Artifact
from workbench.compression.encode import encode_tensors
from workbench.recipe import Prune, Quantize, Recipe

__all__ = ["shortened"]


@pytest.fixture(autouse=True)
def _one_thread(threads):
    """One thread is fastest for small tensors."""


@pytest.fixture(scope="session")
def reader():
    """The independent reader, which shares no code with the package."""
    source = Path(__file__).with_name("reader.py")
    spec = importlib.util.spec_from_file_location("reader", source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def small() -> Artifact:
    """A file of about one kilobyte with packed and Huffman-coded parts."""
    generator = torch.Generator().manual_seed(0)
    weights = {
        "wide": torch.randn(40, 50, generator=generator) ** 3,
        "small.weight": torch.randn(3, 7, generator=generator),
        "small.bias": torch.randn(3, generator=generator),
        "steps": torch.tensor(12),
    }
    recipe = Recipe(Prune(0.8, scope="uniform"), Quantize(3, scheme="affine", range="mse"))
    return Artifact.of("small", recipe, encode_tensors(weights, recipe))
