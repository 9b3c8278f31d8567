"""Fixtures for tests that measure: models, recipes, threads, shortened splits."""

from __future__ import annotations

import hashlib
from random import Random

import pytest

import workbench as wb
from tests.recipes import random_recipe
from workbench.cache.results import ResultCache
from workbench.domain.task import Split, Task


@pytest.fixture
def store():
    return ResultCache()


@pytest.fixture
def lenet5():
    return wb.model("fashion/lenet5")


@pytest.fixture
def small():
    """The cheapest built-in model."""
    return wb.model("fashion/lenet-300-100")


@pytest.fixture(autouse=True)
def one_thread(threads):
    """Use one thread: the results do not depend on the number of cores."""


@pytest.fixture
def recipes():
    """Return a function that draws `count` random recipes for a model from a seed."""

    def draw(model, count, seed=0):
        rng = Random(f"{seed} {model.name}")
        return [random_recipe(rng, model.layers) for _ in range(count)]

    return draw


@pytest.fixture
def fingerprint():
    """Return a function that computes a digest of weights."""

    def digest(weights):
        content = hashlib.sha256()
        for name, weight in weights.items():
            content.update(name.encode() + weight.contiguous().numpy().tobytes())
        return content.hexdigest()

    return digest


@pytest.fixture
def shortened(monkeypatch):
    """Return a function that shortens validation splits; measure with a separate cache then."""
    full = Task.split

    def shorten(examples):
        def first(task, name):
            split = full(task, name)
            if name != "validation":
                return split
            return Split(name, split.examples[:examples], split.labels[:examples], split.digest)

        monkeypatch.setattr(Task, "split", first)

    return shorten
