"""Fixtures for tests that measure: models, recipes, threads, shortened splits."""

from __future__ import annotations

import hashlib
from random import Random

import pytest

import workbench as wb
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
    """The cheapest model there is."""
    return wb.model("fashion/lenet-300-100")


@pytest.fixture(autouse=True)
def one_thread(threads):
    """Nothing here depends on how many cores the machine has."""


@pytest.fixture
def recipes():
    """Draw `count` seeded recipes for a model, the extremes among them."""

    def draw(model, count, seed=0):
        rng = Random(f"{seed} {model.name}")
        return [wb.Recipe.draw(rng, model.layers) for _ in range(count)]

    return draw


@pytest.fixture
def fingerprint():
    """Digest weights, so that a change anywhere in them shows."""

    def digest(weights):
        content = hashlib.sha256()
        for name, weight in weights.items():
            content.update(name.encode() + weight.contiguous().numpy().tobytes())
        return content.hexdigest()

    return digest


@pytest.fixture
def shortened(monkeypatch):
    """Cut validation splits to their first examples. Measure with a store of your own then."""
    whole = Task.split

    def shorten(examples):
        def first(task, name):
            split = whole(task, name)
            if name != "validation":
                return split
            return Split(name, split.examples[:examples], split.labels[:examples], split.digest)

        monkeypatch.setattr(Task, "split", first)

    return shorten
