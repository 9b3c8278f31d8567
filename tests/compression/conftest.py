"""Tests of small tensors run on one thread."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _one_thread(threads):
    """Small tensors are fastest on one thread."""
