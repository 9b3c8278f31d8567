"""Every encoding is lossless and has the predicted size, and the best one is written."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from workbench.compression.codecs.encoding import (
    Encoding,
    EncodingOptions,
    choose_values,
    encodings,
)
from workbench.compression.codecs.positions import indices
from workbench.compression.codecs.stream import entry, parts, read, write
from workbench.compression.coded import DTYPES, Codes, Uncompressed
from workbench.compression.prune import masks
from workbench.compression.quantize import quantize
from workbench.compression.stats import CalibrationStats
from workbench.recipe import Prune, Quantize

SHAPES = ((0,), (0, 3), (3, 0), (2, 0, 2), (), (1,), (1, 1), (13,), (7, 11), (31, 33), (2, 3, 5, 7))
BLOCKS = ((1023, 1), (1, 1024), (5, 205), (3, 683))
FILLS = ("zero", "equal", "normal", "sparse", "one", "few")


def filled(shape, fill: str, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(shape, generator=generator)
    noise = torch.rand(shape, generator=generator)
    return {
        "zero": torch.zeros(shape),
        "equal": torch.full(shape, -1.5),
        "normal": values,
        "sparse": values * (noise < 0.1),
        "one": values * (noise == noise.max() if noise.numel() else 1),
        "few": (values * 2).round(),
    }[fill]


def same(left, right) -> bool:
    """Whether two coded tensors are equal in every field."""
    arrays = [k for k, v in vars(left).items() if isinstance(v, np.ndarray)]
    scalars = {k: v for k, v in vars(left).items() if k not in arrays}
    return scalars == {k: vars(right)[k] for k in scalars} and all(
        getattr(left, k).dtype == getattr(right, k).dtype
        and np.array_equal(getattr(left, k), getattr(right, k))
        for k in arrays
    )


def single_options(options: EncodingOptions):
    """Yield each encoding as the best one."""
    yield replace(options, sparse=None)
    if options.sparse is not None:
        yield replace(options, dense=replace(options.sparse))


def check(coded) -> None:
    options = encodings(coded)
    for chosen in single_options(options):
        described, stream = entry(coded, chosen), write(coded, chosen)
        sizes = parts(described)
        assert len(stream) == sizes.total
        assert sizes.index + sizes.values == chosen.best.size
        assert same(read(described, stream), coded)
    assert options.best.size == min(chosen.best.size for chosen in single_options(options))


@st.composite
def settings_of(draw):
    return Quantize(
        bits=draw(st.integers(2, 8)),
        scheme=draw(st.sampled_from(["symmetric", "affine"])),
        granularity=draw(st.sampled_from(["tensor", "channel", "group"])),
        group_size=draw(st.sampled_from([8, 9, 64, 1024])),
        range=draw(st.sampled_from(["minmax", "percentile", "mse"])),
    )


matrices = st.sampled_from([shape for shape in SHAPES + BLOCKS if len(shape) >= 2])


@pytest.mark.slow
@settings(deadline=None, max_examples=200)
@given(settings_of(), matrices, st.sampled_from(FILLS), st.integers(0, 99))
def test_codes(quantization, shape, fill, seed) -> None:
    coded = quantize("w", filled(shape, fill, seed), quantization)
    assert coded.tensor().shape == shape
    check(coded)


@pytest.mark.parametrize("shape", SHAPES + BLOCKS)
@pytest.mark.parametrize("name", DTYPES)
def test_uncompressed(name, shape) -> None:
    for fill in FILLS:
        tensor = filled(shape, fill, 3).to(DTYPES[name])
        coded = Uncompressed.of(tensor)
        check(coded)
        decoded = coded.tensor()
        assert decoded.shape == shape
        assert torch.equal(decoded.to(tensor.dtype), tensor)
        assert decoded.dtype == (torch.float32 if name in {"bf16", "fp16"} else tensor.dtype)


SHARES = {"all": 1, "bitmap": 0.5, "gaps": 0.02, "Huffman gaps": 0.1}


@pytest.mark.parametrize("kind", SHARES)
def test_every_index_kind_is_the_best_for_some_tensor(kind) -> None:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(100, 500, generator=generator)
    weight *= torch.rand(weight.shape, generator=generator) < SHARES[kind]
    index = encodings(Uncompressed.of(weight)).best.index
    assert (f"Huffman {index.kind}" if index.plan else index.kind) == kind


PATTERNED = ((16, 64), (5, 9), (8, 12, 3, 3), (7, 1, 5, 5), (3, 2), (64, 130))
PATTERNS = {
    "2:4": Prune(0.5, pattern="n_m", width=4),
    "1:4": Prune(0.75, pattern="n_m", width=4),
    "4:8": Prune(0.5, pattern="n_m", width=8),
    "3 of 7": Prune(0.6, pattern="n_m", width=7),
    "1 of 64": Prune(0.99, pattern="n_m", width=64),
    "32 of 64": Prune(0.5, pattern="n_m", width=64),
    "blocks of 4": Prune(0.7, pattern="block", width=4),
    "blocks of 64": Prune(0.5, pattern="block", width=64),
}


@pytest.mark.slow
@pytest.mark.parametrize("bits", [2, 4, 32])
@pytest.mark.parametrize("shape", PATTERNED)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_pruned_patterns_round_trip(pattern, shape, bits) -> None:
    prune = PATTERNS[pattern]
    weight = filled(shape, "normal", 7)
    pruned = weight * masks({"w": weight}, prune, CalibrationStats())["w"]
    coded = quantize("w", pruned, Quantize(bits=bits))
    flags = coded.nonzero
    for index in chain.from_iterable(indices(flags, shape, prune)):
        chosen = EncodingOptions(Encoding(index, choose_values(coded, index)), None, 0)
        described, stream = entry(coded, chosen), write(coded, chosen)
        assert len(stream) == parts(described).total
        assert same(read(described, stream), coded), index.kind


@pytest.mark.parametrize("pattern", ["2:4", "1:4", "4:8", "blocks of 4"])
def test_patterns_reduce_the_size(pattern) -> None:
    prune = PATTERNS[pattern]
    weight = filled((128, 256), "normal", 1)
    pruned = weight * masks({"w": weight}, prune, CalibrationStats())["w"]
    coded = quantize("w", pruned, Quantize(bits=4))
    best, free = encodings(coded, prune).best, encodings(coded).best
    assert best.index.kind == ("blocks" if prune.pattern == "block" else "runs")
    assert best.size < free.size


def test_2_of_4_index_takes_less_than_three_bits_per_run() -> None:
    prune = PATTERNS["2:4"]
    weight = filled((512, 512), "normal", 1)
    coded = Uncompressed.of(weight * masks({"w": weight}, prune, CalibrationStats())["w"])
    runs = 512 * 512 // 4
    index = encodings(coded, prune).best.index
    assert np.log2(6) * runs / 8 <= index.size < 3 * runs / 8  # log2 of the six pairs in four


def test_dense_encoding_is_chosen_in_a_tie() -> None:
    coded = Uncompressed.of(torch.tensor([1, 0, 2, 3, 4, 5, 6, 7], dtype=torch.uint8))
    options = encodings(coded)
    assert options.sparse is not None
    assert options.sparse.size == options.dense.size
    assert options.best is options.dense


def test_tensor_of_zeros_stores_only_its_scale() -> None:
    coded = quantize("w", torch.zeros(64, 64), Quantize(bits=8, granularity="tensor"))
    assert isinstance(coded, Codes)
    assert len(write(coded, encodings(coded))) == 4
