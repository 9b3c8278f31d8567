"""The weights of a layer, counted: none is missing, and zeros are counted apart."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from workbench.errors import RecipeError

HARSH = wb.Recipe.from_json('{"prune": {"sparsity": 0.9}, "quantize": {"bits": 4}}')


def test_every_weight_is_counted_once(small):
    decoded = wb.compress(small, HARSH).weights()
    for layer in small.layers:
        found = wb.histogram(small, HARSH, layer)
        for values, counts, zeros, distinct in (
            (small.weights()[layer], found.before, found.zeros[0], found.distinct[0]),
            (decoded[layer], found.after, found.zeros[1], found.distinct[1]),
        ):
            assert counts.sum() + zeros == values.numel() == found.weights
            assert zeros == int((values == 0).sum())
            assert distinct == len(set(values[values != 0].tolist()))


def test_bins_are_equal_and_reach_the_largest_weight(small):
    found = wb.histogram(small, HARSH, "fc1.weight")
    widths = np.diff(found.edges)
    np.testing.assert_allclose(widths, widths[0])
    largest = float(small.weights()["fc1.weight"].abs().max())
    assert found.edges[-1] >= largest
    assert found.edges[0] == -found.edges[-1]


def test_an_untouched_layer_is_as_it_was(small):
    found = wb.histogram(small, wb.Recipe(), "fc2.weight")
    np.testing.assert_array_equal(found.before, found.after)
    assert found.distinct[0] == found.distinct[1]


@pytest.mark.parametrize("layer", ["nowhere", "fc1.bias", ""])
def test_a_layer_that_is_not_there_is_refused(small, layer):
    with pytest.raises(RecipeError, match="choose from"):
        wb.histogram(small, HARSH, layer)
