"""Fixtures shared by the tests of studies, some of them with the experiments."""

import time
from importlib import import_module
from types import SimpleNamespace

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


@pytest.fixture
def processor_time(monkeypatch):
    """Limit searches by seconds of this process, so that they find the same on a busy machine.

    The smaller limit that tests have for long loops does not apply.
    """
    clock = SimpleNamespace(monotonic=time.process_time, process_time=time.process_time)
    for name in ("limited_search", "optimize", "runner", "speed"):
        monkeypatch.setattr(import_module(f"workbench.study.{name}"), "time", clock)
    monkeypatch.setenv("WORKBENCH_BUDGET", "60")
