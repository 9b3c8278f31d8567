"""The published table of Deep Compression (arXiv 1510.00149, tables 2 and 3), by our arithmetic.

There a layer takes, for every weight that is kept and every filler zero, the bits of its number
and of its relative index, and a codebook of float32; the share is of the weights in float32.
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
    """A row of the tables: weights, percent kept, bits of a number, percent of the size."""

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
    """Draw where the weights that are kept stand."""
    rng = np.random.default_rng(0)
    count = round(layer.kept / 100 * layer.weights)
    return np.sort(rng.choice(layer.weights, count, replace=False))


def stored(layer: Layer, *, fillers: bool = True, codebook: bool = True) -> int:
    """Return the bytes of a layer coded as in the paper."""
    tally = np.bincount(gaps.gaps(positions(layer)))
    symbols = int(gaps.symbol_counts(tally, INDEX_BITS).sum())
    if not fillers:
        symbols = len(positions(layer))
    values = packed_size(symbols, layer.bits)  # a filler is a value too
    return values + packed_size(symbols, INDEX_BITS) + codebook * 4 * 2**layer.bits


def percent(size: int, weights: int) -> float:
    return 100 * size / (4 * weights)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: f"{layer.name}-{layer.weights}")
def test_each_layer_takes_its_published_share(layer) -> None:
    assert percent(stored(layer), layer.weights) == pytest.approx(layer.published, abs=0.5)


@pytest.mark.parametrize("network", TABLES)
def test_each_network_takes_its_published_share(network) -> None:
    layers = TABLES[network]
    total = percent(sum(map(stored, layers)), sum(layer.weights for layer in layers))
    assert 3.0 <= total <= 3.2


@pytest.mark.parametrize("left_out", ["fillers", "codebook"])
def test_the_figures_need_fillers_and_codebooks(left_out) -> None:
    off = {left_out: False}
    apart = [abs(percent(stored(one, **off), one.weights) - one.published) for one in LAYERS]
    totals = [
        percent(sum(stored(one, **off) for one in layers), sum(one.weights for one in layers))
        for layers in TABLES.values()
    ]
    assert max(apart) > 0.5 or not all(3.0 <= total <= 3.2 for total in totals)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: f"{layer.name}-{layer.weights}")
def test_our_file_takes_no_more(layer) -> None:
    places = positions(layer)
    flags = np.zeros(layer.weights, np.bool_)
    flags[places] = True
    index = min(
        chain.from_iterable(indices(flags, (1, layer.weights), None)), key=lambda one: one.size
    )
    codes = np.random.default_rng(1).integers(0, 2**layer.bits, len(places)).astype(np.uint8)
    values = min(packed_size(codes.size, layer.bits), huffman.plan(codes, 2**layer.bits).size)
    assert index.size + values + 4 * 2**layer.bits <= stored(layer)
