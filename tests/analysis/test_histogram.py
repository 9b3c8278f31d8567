"""Histograms count every weight once, and zeros separately."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from tests.raises import raises

HARSH = wb.Recipe.from_json('{"prune": {"sparsity": 0.9}, "quantize": {"bits": 4}}')


def test_every_weight_is_counted_once(small):
    decoded = wb.compress(small, HARSH).weights()
    for layer in small.layers:
        result = wb.histogram(small, HARSH, layer)
        for values, counts, zeros, distinct in (
            (small.weights()[layer], result.before, result.zeros[0], result.distinct[0]),
            (decoded[layer], result.after, result.zeros[1], result.distinct[1]),
        ):
            assert counts.sum() + zeros == values.numel() == result.weights
            assert zeros == int((values == 0).sum())
            assert distinct == len(set(values[values != 0].tolist()))


def test_bins_have_equal_width_and_cover_all_weights(small):
    result = wb.histogram(small, HARSH, "fc1.weight")
    widths = np.diff(result.edges)
    np.testing.assert_allclose(widths, widths[0])
    largest = float(small.weights()["fc1.weight"].abs().max())
    assert result.edges[-1] >= largest
    assert result.edges[0] == -result.edges[-1]


def test_uncompressed_layer_is_unchanged(small):
    result = wb.histogram(small, wb.Recipe(), "fc2.weight")
    np.testing.assert_array_equal(result.before, result.after)
    assert result.distinct[0] == result.distinct[1]


@pytest.mark.parametrize("layer", ["nowhere", "fc1.bias", ""])
def test_unknown_layer_is_an_error(small, layer):
    with raises("recipe.unknown_layer", *small.layers):
        wb.histogram(small, HARSH, layer)
