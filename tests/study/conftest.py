"""Fixtures shared by the tests of studies, some of them with the experiments."""

import pytest

import workbench as wb
from tests.experiments.conftest import brief, one_thread, small
from tests.measuring import lenet5
from workbench.cache.results import ResultCache
from workbench.study import measurement

__all__ = ["brief", "lenet5", "one_thread", "small"]


@pytest.fixture
def fresh(monkeypatch):
    """Return a function that empties the store, and do so."""

    def empty():
        store = ResultCache()
        monkeypatch.setattr(measurement, "default_result_cache", lambda: store)

    empty()
    return empty


@pytest.fixture
def tiny():
    """Return the smallest built-in model."""
    return wb.model("fashion/mlp-32")
