"""Tensors of several pieces give the same bytes on one core and on several."""

from __future__ import annotations

import hashlib
import tracemalloc

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from workbench.artifact.artifact import load
from workbench.compression.pieces import PIECE_SIZE
from workbench.compression.prune import masks
from workbench.compression.stats import CalibrationStats
from workbench.recipe import Prune, Quantize, Recipe
from workbench.streaming.compress import compress_file
from workbench.streaming.decompress import decompress
from workbench.streaming.nth_smallest import nth_smallest, sort_keys

WIDE = (3 * PIECE_SIZE // 1000 + 7, 1000)
RECIPES = {
    "groups": Recipe(quantize=Quantize(4, granularity="group")),
    "global": Recipe(Prune(0.5), Quantize(4, granularity="group")),
    "very sparse": Recipe(Prune(0.98), Quantize(3)),
    "2:4": Recipe(Prune(0.5, pattern="n_m"), Quantize(8, scheme="affine")),
    "blocks": Recipe(Prune(0.5, pattern="block", width=8)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_the_bytes_do_not_depend_on_the_number_of_threads(tmp_path, threads, name) -> None:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(WIDE, generator=generator).bfloat16()
    save_file({"w": weight, "v": weight[:9] * 2}, tmp_path / "big.safetensors")
    digests = set()
    for count in (1, 2, 3):
        threads(count)
        compress_file(tmp_path / "big.safetensors", RECIPES[name], tmp_path / "small")
        decompress(tmp_path / "small", tmp_path / "again")
        content = (tmp_path / "small").read_bytes() + (tmp_path / "again").read_bytes()
        digests.add(hashlib.sha256(content).hexdigest())
    assert len(digests) == 1


def test_ties_are_pruned_across_pieces(tmp_path) -> None:
    save_file({"w": torch.ones(3, PIECE_SIZE)}, tmp_path / "big.safetensors")
    compress_file(tmp_path / "big.safetensors", Recipe(Prune(0.5)), tmp_path / "small")
    (weight,) = load(tmp_path / "small").weights().values()
    assert int((weight == 0).sum()) == 3 * PIECE_SIZE // 2


@pytest.mark.parametrize("bits", [16, 32, 64])
def test_selection_equals_sorting(bits) -> None:
    generator = torch.Generator().manual_seed(bits)
    numbers = (torch.randn(5000, generator=generator).abs() * 3).bfloat16()
    numbers[:500] = 0
    if bits > 16:
        numbers = numbers.to(torch.float32 if bits == 32 else torch.float64)
        numbers[2000:] += torch.rand(3000, generator=generator, dtype=numbers.dtype)
    keys = sort_keys(numbers, bits)
    ranked = np.sort(keys)
    for count in (1, 2, 499, 500, 501, 2500, 4999, 5000):
        threshold = nth_smallest(lambda: [keys[:1234], keys[1234:]], bits, count)
        assert threshold.key == ranked[count - 1]
        assert threshold.ties == count - np.count_nonzero(keys < threshold.key)


@pytest.mark.slow
def test_peak_memory_is_small(tmp_path) -> None:
    side = 1024
    tensors = {f"layer {k}": torch.randn(side, side).bfloat16() for k in range(8)}
    save_file(tensors, tmp_path / "big.safetensors")
    compress_file(tmp_path / "big.safetensors", RECIPES["groups"], tmp_path / "small")  # loaded
    tracemalloc.start()
    try:
        compress_file(tmp_path / "big.safetensors", RECIPES["groups"], tmp_path / "small")
        assert tracemalloc.get_traced_memory()[1] < 12 * side**2  # all tensors take 16 in bfloat16
    finally:
        tracemalloc.stop()


def test_masks_equal_those_in_memory(tmp_path) -> None:
    weights = {"w": torch.randn(WIDE), "v": torch.randn(30, 50)}
    save_file(weights, tmp_path / "big.safetensors")
    compress_file(tmp_path / "big.safetensors", Recipe(Prune(0.5)), tmp_path / "small")
    from workbench.artifact.artifact import load

    expected = masks(weights, Prune(0.5), CalibrationStats())
    for name, tensor in load(tmp_path / "small").weights().items():
        assert torch.equal(tensor != 0, expected[name])
