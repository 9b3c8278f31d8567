"""An artifact equals its bytes: deterministic, fully accounted for, unchanged when read back."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random

import pytest
import torch
from hypothesis import example, given, settings, strategies as st

from tests.recipes import random_recipe
from workbench.artifact import container
from workbench.artifact.artifact import Artifact
from workbench.artifact.ledger import Ledger
from workbench.compression.codecs.stream import SAME_KEY, parts
from workbench.compression.encode import encode_tensors
from workbench.compression.stats import CalibrationStats
from workbench.recipe import Prune, Quantize, Recipe

SHAPES = st.lists(st.sampled_from([0, 1, 2, 3, 7, 31, 97]), max_size=3).map(tuple)
FILLS = {
    "zero": torch.zeros,
    "equal": lambda shape: torch.full(shape, 0.3),
    "normal": torch.randn,
    "sparse": lambda shape: torch.randn(shape) * (torch.rand(shape) < 0.1),
    "tiny": lambda shape: torch.randn(shape) * 1e-40,
    "large": lambda shape: torch.randn(shape) * 1e36,
}


@st.composite
def sample(draw) -> tuple[dict[str, torch.Tensor], Recipe, Artifact]:
    """Draw weights of unusual shapes, a recipe for them, and their artifact."""
    torch.manual_seed(draw(st.integers(0, 2**31)))
    shapes = draw(st.lists(SHAPES, max_size=4))
    fill = FILLS[draw(st.sampled_from(sorted(FILLS)))]
    weights = {f"layer {k}": fill(shape) for k, shape in enumerate(shapes)}
    names = [name for name, tensor in weights.items() if tensor.ndim >= 2]
    recipe = random_recipe(Random(draw(st.integers(0, 2**31))), names)
    if recipe.quantize is not None and recipe.quantize.format == "fp16":
        weights = {name: tensor.clamp(-6e4, 6e4) for name, tensor in weights.items()}
    stats = CalibrationStats({name: torch.rand_like(weights[name]) for name in names})
    return weights, recipe, Artifact.of("drawn", recipe, encode_tensors(weights, recipe, stats))


@pytest.mark.slow
@settings(deadline=None, max_examples=200)
@given(sample())
def test_reading_back_gives_the_same_weights_recipe_and_ledger(sample) -> None:
    weights, recipe, artifact = sample
    loaded = Artifact.from_bytes(artifact.to_bytes())
    assert loaded.recipe == artifact.recipe == recipe
    assert (loaded.model, loaded.digest) == ("drawn", artifact.digest)
    assert loaded.ledger == artifact.ledger
    assert loaded.to_bytes() == artifact.to_bytes()
    before, after = artifact.weights(), loaded.weights()
    assert list(before) == list(after) == list(weights)
    for name, tensor in weights.items():
        assert before[name].shape == after[name].shape == tensor.shape
        assert torch.isfinite(before[name]).all()
        assert torch.equal(before[name], after[name])


def scale_bytes(coded, described) -> int:
    """Count the bytes of scales and zero points, or of the codebook."""
    if SAME_KEY in described:
        return 0  # another tensor has them
    if "bits" in described:
        return coded.scale.size * (5 if "affine" in described else 4)
    return coded.codebook.size * 4 if "shared" in described else 0


def equal_layers() -> tuple[dict[str, torch.Tensor], Recipe, Artifact]:
    """Return two layers that are stored once."""
    weights = {name: torch.full((97, 97), 0.3) for name in ("first", "second")}
    recipe = Recipe(Quantize(bits=4))
    return weights, recipe, Artifact.of("drawn", recipe, encode_tensors(weights, recipe))


@pytest.mark.slow
@settings(deadline=None, max_examples=100)
@given(sample())
@example(equal_layers())
def test_the_ledger_counts_every_byte(sample) -> None:
    _, _, artifact = sample
    ledger = artifact.ledger
    assert ledger.total == len(artifact) == len(artifact.to_bytes())
    outside = int.from_bytes(artifact.to_bytes()[:8], "little")
    header, _ = container.unpack(artifact.to_bytes())
    assert ledger.container == 8 + outside + len(
        json.dumps(header, separators=(",", ":"), ensure_ascii=False)
    )
    for name, described in header["tensors"].items():
        row, sizes = ledger[name], parts(described)
        coded = artifact.tensors[name]
        factors = described.get("factors", [])
        tensors = (coded.u, coded.v) if factors else (coded,)
        pairs = zip(tensors, factors or [described], strict=True)
        assert row.total == sizes.total
        assert row.scales == sum(scale_bytes(*pair) for pair in pairs)
        assert (
            row.indices + row.values + row.uncompressed + row.tables == sizes.index + sizes.values
        )
        assert row.shape == tuple(described["shape"])
        assert (name in artifact.encodings) == (not factors)
        if not factors and SAME_KEY not in described:
            assert row.total == artifact.encodings[name].best.size + row.scales
    for stored in (ledger, replace(ledger, preprocessing=5)):
        assert Ledger.from_dict(json.loads(json.dumps(stored.as_dict()))) == stored


def test_the_same_weights_and_recipe_give_the_same_bytes() -> None:
    weights = {"w": torch.randn(50, 60, generator=torch.Generator().manual_seed(1))}
    names = list(weights)
    rng = Random(3)
    for _ in range(30):
        recipe = random_recipe(rng, names)
        stats = CalibrationStats({"w": torch.ones(50, 60)})
        copies = {name: tensor.clone() for name, tensor in weights.items()}
        first = Artifact.of("m", recipe, encode_tensors(weights, recipe, stats))
        again = Artifact.of("m", recipe, encode_tensors(copies, recipe, stats))
        assert first.to_bytes() == again.to_bytes()


def test_weights_are_a_fresh_copy(small) -> None:
    before = small.weights()
    for tensor in small.weights().values():
        tensor.zero_()
    after = small.weights()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_negative_zero_becomes_zero() -> None:
    weights = {"w": torch.tensor([[-0.0, 1.0]])}
    for recipe in (Recipe(), Recipe(quantize=Quantize(8)), Recipe(quantize=Quantize(16))):
        decoded = Artifact.of("m", recipe, encode_tensors(weights, recipe)).weights()["w"]
        assert not torch.signbit(decoded).any()


def test_no_tensors() -> None:
    artifact = Artifact.of("nothing", Recipe(), {})
    assert Artifact.from_bytes(artifact.to_bytes()).weights() == {}
    assert artifact.ledger.total == artifact.ledger.container == len(artifact)


def test_pruning_makes_the_file_smaller() -> None:
    weights = {"w": torch.randn(200, 200, generator=torch.Generator().manual_seed(1))}
    sizes = [
        len(Artifact.of("m", recipe, encode_tensors(weights, recipe)))
        for recipe in (Recipe(Prune(s), Quantize(8)) for s in (0.5, 0.8, 0.9, 0.99))
    ]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize(
    ("codec", "quantize"), [("dense, f32", {}), ("dense, 8 bits", {"bits": 8})]
)
def test_description_of_the_codec(codec, quantize) -> None:
    weights = {"w": torch.linspace(-1, 1, 200).view(10, 20)}
    recipe = Recipe(quantize=Quantize(**quantize) if quantize else None)
    assert Artifact.of("m", recipe, encode_tensors(weights, recipe)).ledger["w"].codec == codec
