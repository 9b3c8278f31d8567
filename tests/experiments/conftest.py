"""Fixtures: a model that trains quickly, and settings from scratch on one thread."""

from __future__ import annotations

import pytest

import workbench as wb
from workbench.recipe import Train


@pytest.fixture
def small():
    return wb.model("fashion/lenet-300-100")


@pytest.fixture
def brief():
    return Train(start="scratch", steps=6, batch=32, threads=1)


@pytest.fixture(autouse=True)
def one_thread(threads):
    """Use one thread, so that results do not depend on the machine."""
