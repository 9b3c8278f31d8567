"""Reports as points of the trade-off chart."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from workbench.plots import points
from workbench.plots.spots import Spot
from workbench.recipe import Recipe


@pytest.mark.parametrize("preview_of", [None, Recipe()])
def test_a_preview_is_marked_and_has_its_interval(preview_of):
    report = SimpleNamespace(
        size=SimpleNamespace(bytes=10, original_bytes=10),
        score=SimpleNamespace(value=0.5, low=0.4, high=0.6),
        recipe=Recipe(),
        preview_of=preview_of,
    )
    expected = Spot(10, 0.5, 0.4, 0.6, trained=False, preview=preview_of is not None)
    assert points.current(report) == expected


def test_points_of_numpy_numbers_are_plain_data():
    score = SimpleNamespace(value=np.float64(0.5), low=np.float64(0.4), high=np.float64(0.6))
    report = SimpleNamespace(
        size=SimpleNamespace(bytes=10, original_bytes=10),
        score=score,
        recipe=Recipe(),
        preview_of=None,
    )
    assert points.current(report).exact is False
