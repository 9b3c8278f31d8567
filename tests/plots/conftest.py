"""Changes, attributions and histograms drawn by hand, so that a picture needs no network."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.analysis.comparison import Comparison

CLASSES = ("shirt", "coat", "bag")


@pytest.fixture
def changes():
    """Make changes from labels, and classes before and after."""

    def make(labels, before, after):
        rows = (np.array(row, np.int64) for row in (labels, before, after))
        return Comparison("drawn", "validation", CLASSES, *rows)

    return make


@pytest.fixture
def images():
    """Six images, each of one grey value of its own."""
    return np.repeat(np.arange(6, dtype=np.uint8) * 40, 28 * 28).reshape(6, 28, 28)
