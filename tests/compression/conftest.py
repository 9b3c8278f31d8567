"""Small tensors are quickest on one thread."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _one_thread(threads):
    """Small tensors are quickest so."""
