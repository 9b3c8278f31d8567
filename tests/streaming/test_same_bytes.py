"""A file made tensor by tensor is the one that is made in memory, byte for byte."""

from __future__ import annotations

import json
from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

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
    "by layer": {"prune": {"scope": "layer", "layers": {"embed.weight": 0.7}}},
    "one of its own": {"prune": {"sparsity": 0.3, "layers": {"double.weight": 0.9}}},
    "one left out": {"prune": {"sparsity": 0.6, "exclude": ["double.weight"]}},
    "2:4": {"prune": {"pattern": "n:m"}, "quantize": {"bits": 4}},
    "blocks": {"prune": {"sparsity": 0.7, "pattern": "block", "width": 4}},
    "uniform blocks": {"prune": {"sparsity": 0.7, "pattern": "block", "scope": "uniform"}},
    "shared": {"share": {"clusters": 8}},
    "ternary": {"share": {"method": "ternary", "granularity": "channel"}},
    "factors": {"factorize": {"kept": 0.3, "measure": "bytes"}, "quantize": {"bits": 8}},
}


def in_memory(tensors, recipe, title) -> bytes:
    order = sorted(tensors, key=lambda name: (-tensors[name].itemsize, name))
    ordered = {name: tensors[name] for name in order}
    dtypes = {name: tensor.dtype for name, tensor in ordered.items()}
    coded = encode_tensors(ordered, recipe)
    return Artifact.of(f"file:{title}", recipe, coded, dtypes=dtypes).to_bytes()


def check(folder, tensors, recipe) -> None:
    save_file(tensors, folder / "big.safetensors")
    made = compress_file(folder / "big.safetensors", recipe, folder / "small.safetensors")
    blob = (folder / "small.safetensors").read_bytes()
    assert blob == in_memory(tensors, recipe, "big")
    loaded = load(folder / "small.safetensors")
    assert (made.digest, made.ledger, made.recipe) == (loaded.digest, loaded.ledger, recipe)
    back = load_file(decompress(folder / "small.safetensors", folder / "again.safetensors"))
    assert back.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert (back[name].dtype, back[name].shape) == (tensor.dtype, tensor.shape)
        assert torch.equal(back[name], loaded.weights()[name].to(tensor.dtype)), name


@pytest.mark.parametrize("name", RECIPES)
def test_every_part_that_needs_only_tensors(tmp_path, tensors, name) -> None:
    check(tmp_path, tensors, Recipe.from_json(RECIPES[name]))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["again.safetensors", "big.safetensors", "small.safetensors"]


@pytest.mark.parametrize("name", ["global", "8 bits", "nothing"])
def test_shards_give_the_bytes_of_one_file(tmp_path, tensors, shards, name) -> None:
    recipe = Recipe.from_json(RECIPES[name])
    (tmp_path / "model").mkdir()
    index = shards(tmp_path / "model", tensors, 3)
    for path in (index, tmp_path / "model"):
        compress_file(path, recipe, tmp_path / "small.safetensors")
        blob = (tmp_path / "small.safetensors").read_bytes()
        assert blob == in_memory(tensors, recipe, "model")


def causal(size, blocked, dtype=torch.float32) -> torch.Tensor:
    """What attention may not see: zeros on and below the diagonal, `blocked` above it."""
    return torch.full((size, size), blocked, dtype=dtype).triu(1)


MASKS = {
    "infinite": causal(9, -torch.inf),
    "lowest float32": causal(9, torch.finfo(torch.float32).min),
    "lowest float16": causal(9, torch.finfo(torch.float16).min, torch.float16),
    "lowest bfloat16": causal(9, torch.finfo(torch.bfloat16).min, torch.bfloat16),
    "positive": causal(9, torch.inf),
    "late": torch.cat([torch.zeros(80, 80), causal(80, -torch.inf)]),  # zeros alone at first
    "four axes": causal(6, -torch.inf).view(1, 1, 6, 6),
}
PRUNED = ("global alone", "uniform", "2:4", "blocks", "uniform blocks", "one of its own")


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("recipe", PRUNED)
def test_masks_are_neither_pruned_nor_counted(tmp_path, tensors, name, recipe) -> None:
    few = {key: tensors[key] for key in ("double.weight", "layer.2.weight", "empty")}
    chosen = Recipe.from_json(RECIPES[recipe])
    check(tmp_path, {**few, "mask": MASKS[name]}, chosen)
    file = load(tmp_path / "small.safetensors")
    assert torch.equal(file.weights()["mask"], MASKS[name].float())
    alone = Artifact.of("file:big", chosen, encode_tensors(few, chosen)).weights()
    assert all(torch.equal(file.weights()[key].float(), alone[key].float()) for key in few)


def test_a_mask_is_no_layer_of_a_recipe(tmp_path, tensors) -> None:
    recipe = Recipe.from_json({"prune": {"layers": {"mask": 0.5}}})
    held = {"double.weight": tensors["double.weight"], "mask": MASKS["infinite"]}
    save_file(held, tmp_path / "big.safetensors")
    with pytest.raises(RecipeError) as in_streams:
        compress_file(tmp_path / "big.safetensors", recipe, tmp_path / "small.safetensors")
    with pytest.raises(RecipeError) as at_once:
        encode_tensors(held, recipe)
    assert str(in_streams.value) == str(at_once.value)


SHAPES = st.lists(st.sampled_from([0, 1, 2, 3, 7, 31, 97]), max_size=3).map(tuple)
KINDS = (torch.bfloat16, torch.float16, torch.float32, torch.float64)
FILLS = {
    "zero": torch.zeros,
    "equal": lambda shape: torch.full(shape, 0.3),
    "normal": torch.randn,
    "sparse": lambda shape: torch.randn(shape) * (torch.rand(shape) < 0.1),
    "few": lambda shape: (torch.randn(shape) * 2).round(),
}


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(SHAPES, st.sampled_from(KINDS), st.sampled_from(sorted(FILLS))), max_size=4),
    st.integers(0, 2**31),
)
def test_any_tensors_under_any_recipe(tmp_path_factory, drawn, seed) -> None:
    torch.manual_seed(seed)
    tensors = {
        f"layer {k}": FILLS[fill](shape).to(kind) for k, (shape, kind, fill) in enumerate(drawn)
    }
    names = [name for name, tensor in tensors.items() if tensor.ndim >= 2]
    recipe = _plain(Recipe.draw(Random(seed), names))
    check(tmp_path_factory.mktemp("drawn"), tensors, recipe)


def _plain(recipe: Recipe) -> Recipe:
    """What is left of a drawn recipe when all that needs a module or data is taken out."""
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
def test_what_needs_a_module_or_data_is_refused(word) -> None:
    with pytest.raises(RecipeError, match=word):
        check_supported(Recipe.from_json(UNSUITED[word]))


def test_what_is_no_recipe_is_refused() -> None:
    with pytest.raises(RecipeError, match="must be a Recipe"):
        check_supported({"quantize": {"bits": 4}})


def test_parts_that_are_switched_off_are_no_hindrance() -> None:
    off = {
        "structure": {"removed": 0},
        "activations": {"bits": 32},
        "adjust": {"batch_norm": "keep"},
    }
    check_supported(Recipe.from_json(json.dumps(off)))
