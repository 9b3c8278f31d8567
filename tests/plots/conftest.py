"""Comparisons and images made by hand, so that figures need no model."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.analysis.comparison import Comparison

CLASSES = ("shirt", "coat", "bag")


@pytest.fixture
def compare():
    """Make a comparison from labels and predictions before and after."""

    def make(labels, before, after):
        rows = (np.array(row, np.int64) for row in (labels, before, after))
        return Comparison("drawn", "validation", CLASSES, *rows)

    return make


@pytest.fixture
def images():
    """Six images, each of a different uniform gray value."""
    return np.repeat(np.arange(6, dtype=np.uint8) * 40, 28 * 28).reshape(6, 28, 28)
