"""The published sizes of Deep Compression (arXiv 1510.00149, tables 2 and 3), recomputed.

There, a layer stores a code and a relative index for every remaining weight and every filler zero,
and a float32 codebook. Sizes are percentages of the float32 weights.
"""

from __future__ import annotations

from itertools import chain
from typing import NamedTuple

import numpy as np
import pytest

from workbench.compression.codecs import gaps, huffman
from workbench.compression.codecs.packing import packed_size
from workbench.compression.codecs.positions import indices

INDEX_BITS = 5


class Layer(NamedTuple):
    """A row of the tables: weights, percent kept, bits of a code, percent of the size."""

    name: str
    weights: int
    kept: float
    bits: int
    published: float


TABLES = {
    "LeNet-300-100": (
        Layer("ip1", 235_200, 8, 6, 3.1),
        Layer("ip2", 30_000, 9, 6, 3.8),
        Layer("ip3", 1_000, 26, 6, 15.7),
    ),
    "LeNet-5": (
        Layer("conv1", 500, 66, 8, 78.5),
        Layer("conv2", 25_000, 12, 8, 6.0),
        Layer("ip1", 400_000, 8, 5, 2.7),
        Layer("ip2", 5_000, 19, 5, 6.9),
    ),
}
LAYERS = [layer for layers in TABLES.values() for layer in layers]


def positions(layer: Layer) -> np.ndarray:
    """Return random positions of the remaining weights."""
    rng = np.random.default_rng(0)
    count = round(layer.kept / 100 * layer.weights)
    return np.sort(rng.choice(layer.weights, count, replace=False))


def stored(layer: Layer, *, fillers: bool = True, codebook: bool = True) -> int:
    """Return the bytes of a layer encoded as in the paper."""
    tally = np.bincount(gaps.gaps(positions(layer)))
    symbols = int(gaps.symbol_counts(tally, INDEX_BITS).sum())
    if not fillers:
        symbols = len(positions(layer))
    values = packed_size(symbols, layer.bits)  # a filler is a value too
    return values + packed_size(symbols, INDEX_BITS) + codebook * 4 * 2**layer.bits


def percent(size: int, weights: int) -> float:
    return 100 * size / (4 * weights)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: f"{layer.name}-{layer.weights}")
def test_layers_have_their_published_size(layer) -> None:
    assert percent(stored(layer), layer.weights) == pytest.approx(layer.published, abs=0.5)


@pytest.mark.parametrize("network", TABLES)
def test_networks_have_their_published_size(network) -> None:
    layers = TABLES[network]
    total = percent(sum(map(stored, layers)), sum(layer.weights for layer in layers))
    assert 3.0 <= total <= 3.2


@pytest.mark.parametrize("omitted", ["fillers", "codebook"])
def test_published_sizes_include_fillers_and_codebooks(omitted) -> None:
    off = {omitted: False}
    errors = [abs(percent(stored(x, **off), x.weights) - x.published) for x in LAYERS]
    totals = [
        percent(sum(stored(x, **off) for x in layers), sum(x.weights for x in layers))
        for layers in TABLES.values()
    ]
    assert max(errors) > 0.5 or not all(3.0 <= total <= 3.2 for total in totals)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: f"{layer.name}-{layer.weights}")
def test_our_file_is_not_larger(layer) -> None:
    places = positions(layer)
    flags = np.zeros(layer.weights, np.bool_)
    flags[places] = True
    index = min(
        chain.from_iterable(indices(flags, (1, layer.weights), None)), key=lambda index: index.size
    )
    codes = np.random.default_rng(1).integers(0, 2**layer.bits, len(places)).astype(np.uint8)
    values = min(packed_size(codes.size, layer.bits), huffman.plan(codes, 2**layer.bits).size)
    assert index.size + values + 4 * 2**layer.bits <= stored(layer)
