"""Compressing tensor by tensor gives the same bytes as compressing in memory."""

from __future__ import annotations

import json
from random import Random

import pytest
import torch
from hypothesis import given, settings, strategies as st
from safetensors.torch import load_file, save_file

from tests.raises import raises
from tests.recipes import random_recipe
from workbench.artifact.artifact import Artifact, load
from workbench.compression.encode import encode_tensors
from workbench.errors import RecipeError
from workbench.recipe import Recipe
from workbench.streaming.compress import compress_file
from workbench.streaming.decompress import decompress
from workbench.streaming.supported import check_supported

RECIPES = {
    "nothing": {},
    "4 bits in groups": {"quantize": {"bits": 4, "granularity": "group", "group_size": 64}},
    "3 bits, affine": {"quantize": {"bits": 3, "scheme": "affine", "range": "mse"}},
    "5 bits a tensor": {"quantize": {"bits": 5, "granularity": "tensor", "range": "percentile"}},
    "8 bits": {"quantize": {"bits": 8}},
    "bf16": {"quantize": {"bits": 16}},
    "fp16": {"quantize": {"bits": 16, "format": "fp16"}},
    "global": {"prune": {"sparsity": 0.5}, "quantize": {"bits": 4, "granularity": "group"}},
    "global alone": {"prune": {"sparsity": 0.9}},
    "uniform": {"prune": {"sparsity": 0.8, "scope": "uniform"}, "quantize": {"bits": 2}},
    "named layers": {"prune": {"scope": "named", "layers": {"embed.weight": 0.7}}},
    "one layer with its own sparsity": {
        "prune": {"sparsity": 0.3, "layers": {"double.weight": 0.9}}
    },
    "one layer excluded": {"prune": {"sparsity": 0.6, "exclude": ["double.weight"]}},
    "2:4": {"prune": {"pattern": "n_m"}, "quantize": {"bits": 4}},
    "blocks": {"prune": {"sparsity": 0.7, "pattern": "block", "width": 4}},
    "uniform blocks": {"prune": {"sparsity": 0.7, "pattern": "block", "scope": "uniform"}},
    "shared": {"share": {"clusters": 8}},
    "ternary": {"share": {"method": "ternary", "granularity": "channel"}},
    "factors": {"factorize": {"keep": 0.3, "measure": "bytes"}, "quantize": {"bits": 8}},
}


def in_memory(tensors, recipe, title) -> bytes:
    order = sorted(tensors, key=lambda name: (-tensors[name].itemsize, name))
    ordered = {name: tensors[name] for name in order}
    dtypes = {name: tensor.dtype for name, tensor in ordered.items()}
    coded = encode_tensors(ordered, recipe)
    return Artifact.of(f"file:{title}", recipe, coded, dtypes=dtypes).to_bytes()


def check(folder, tensors, recipe) -> None:
    save_file(tensors, folder / "big.safetensors")
    artifact = compress_file(folder / "big.safetensors", recipe, folder / "small.safetensors")
    blob = (folder / "small.safetensors").read_bytes()
    assert blob == in_memory(tensors, recipe, "big")
    loaded = load(folder / "small.safetensors")
    assert (artifact.digest, artifact.ledger, artifact.recipe) == (
        loaded.digest,
        loaded.ledger,
        recipe,
    )
    tensors_after = load_file(
        decompress(folder / "small.safetensors", folder / "again.safetensors")
    )
    assert tensors_after.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert (tensors_after[name].dtype, tensors_after[name].shape) == (
            tensor.dtype,
            tensor.shape,
        )
        assert torch.equal(tensors_after[name], loaded.weights()[name].to(tensor.dtype)), name


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_every_supported_part(tmp_path, tensors, name) -> None:
    check(tmp_path, tensors, Recipe.from_json(RECIPES[name]))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["again.safetensors", "big.safetensors", "small.safetensors"]


@pytest.mark.parametrize("name", ["global", "8 bits", "nothing"])
def test_shards_give_the_same_bytes_as_one_file(tmp_path, tensors, shards, name) -> None:
    recipe = Recipe.from_json(RECIPES[name])
    (tmp_path / "model").mkdir()
    index = shards(tmp_path / "model", tensors, 3)
    for path in (index, tmp_path / "model"):
        compress_file(path, recipe, tmp_path / "small.safetensors")
        blob = (tmp_path / "small.safetensors").read_bytes()
        assert blob == in_memory(tensors, recipe, "model")


def causal(size, blocked, dtype=torch.float32) -> torch.Tensor:
    """A causal attention mask: zeros on and below the diagonal, `blocked` above it."""
    return torch.full((size, size), blocked, dtype=dtype).triu(1)


MASKS = {
    "infinite": causal(9, -torch.inf),
    "lowest float32": causal(9, torch.finfo(torch.float32).min),
    "lowest float16": causal(9, torch.finfo(torch.float16).min, torch.float16),
    "lowest bfloat16": causal(9, torch.finfo(torch.bfloat16).min, torch.bfloat16),
    "positive": causal(9, torch.inf),
    "late": torch.cat([torch.zeros(80, 80), causal(80, -torch.inf)]),  # starts with zeros only
    "four axes": causal(6, -torch.inf).view(1, 1, 6, 6),
}
PRUNED = (
    "global alone",
    "uniform",
    "2:4",
    "blocks",
    "uniform blocks",
    "one layer with its own sparsity",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("recipe", PRUNED)
def test_masks_are_not_pruned(tmp_path, tensors, name, recipe) -> None:
    few = {key: tensors[key] for key in ("double.weight", "layer.2.weight", "empty")}
    chosen = Recipe.from_json(RECIPES[recipe])
    check(tmp_path, {**few, "mask": MASKS[name]}, chosen)
    file = load(tmp_path / "small.safetensors")
    assert torch.equal(file.weights()["mask"], MASKS[name].float())
    expected = Artifact.of("file:big", chosen, encode_tensors(few, chosen)).weights()
    assert all(torch.equal(file.weights()[key].float(), expected[key].float()) for key in few)


def test_a_mask_is_not_a_layer(tmp_path, tensors) -> None:
    recipe = Recipe.from_json({"prune": {"layers": {"mask": 0.5}}})
    held = {"double.weight": tensors["double.weight"], "mask": MASKS["infinite"]}
    save_file(held, tmp_path / "big.safetensors")
    with pytest.raises(RecipeError) as streaming:
        compress_file(tmp_path / "big.safetensors", recipe, tmp_path / "small.safetensors")
    with pytest.raises(RecipeError) as in_memory_error:
        encode_tensors(held, recipe)
    assert str(streaming.value) == str(in_memory_error.value)


SHAPES = st.lists(st.sampled_from([0, 1, 2, 3, 7, 31, 97]), max_size=3).map(tuple)
KINDS = (torch.bfloat16, torch.float16, torch.float32, torch.float64)
FILLS = {
    "zero": torch.zeros,
    "equal": lambda shape: torch.full(shape, 0.3),
    "normal": torch.randn,
    "sparse": lambda shape: torch.randn(shape) * (torch.rand(shape) < 0.1),
    "few": lambda shape: (torch.randn(shape) * 2).round(),
}


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(SHAPES, st.sampled_from(KINDS), st.sampled_from(sorted(FILLS))), max_size=4),
    st.integers(0, 2**31),
)
def test_any_tensors_under_any_recipe(tmp_path_factory, samples, seed) -> None:
    torch.manual_seed(seed)
    tensors = {
        f"layer {k}": FILLS[fill](shape).to(kind) for k, (shape, kind, fill) in enumerate(samples)
    }
    names = [name for name, tensor in tensors.items() if tensor.ndim >= 2]
    recipe = _supported(random_recipe(Random(seed), names))
    check(tmp_path_factory.mktemp("samples"), tensors, recipe)


def _supported(recipe: Recipe) -> Recipe:
    """Return `recipe` without the parts that need a module or data."""
    parts = recipe.as_dict()
    for key in ("structure", "activations", "adjust", "train"):
        parts.pop(key, None)
    parts.get("prune", {}).update(criterion="magnitude")
    if parts.get("prune", {}).get("scope") == "adaptive":
        parts["prune"]["scope"] = "global"
    parts.get("factorize", {}).update(aim="weights")
    parts.get("quantize", {}).update(rounding="nearest")
    return Recipe.from_json(parts)


UNSUITED = {
    "structure": {"structure": {}},
    "training": {"train": {"steps": 3}},
    "activations": {"activations": {"bits": 8}},
    "adjust": {"adjust": {"batch_norm": "fold"}},
    "gradients": {"prune": {"criterion": "gradient"}},
    "by magnitude": {"prune": {"criterion": "random"}},
    "adaptive": {"prune": {"scope": "adaptive"}},
    "fit the weights": {"factorize": {"aim": "outputs"}},
    "nearest": {"quantize": {"rounding": "compensated"}},
}


@pytest.mark.parametrize("word", UNSUITED)
def test_recipes_that_need_a_module_or_data_are_rejected(word) -> None:
    with raises("recipe.needs_module", word):
        check_supported(Recipe.from_json(UNSUITED[word]))


def test_other_objects_are_rejected() -> None:
    with raises("argument.not_a_recipe"):
        check_supported({"quantize": {"bits": 4}})


def test_disabled_parts_are_accepted() -> None:
    off = {
        "structure": {"removed": 0},
        "activations": {"bits": 32},
        "adjust": {"batch_norm": "keep"},
    }
    check_supported(Recipe.from_json(json.dumps(off)))
