"""Compression does not change the caller's tensors, and refuses what it cannot store."""

from __future__ import annotations

import hashlib
from random import Random

import pytest
import torch

from tests.raises import raises
from tests.recipes import random_recipe
from workbench.artifact.artifact import Artifact
from workbench.compression.criteria import CRITERIA
from workbench.compression.encode import encode_tensors
from workbench.compression.roles import Roles, compressible
from workbench.compression.stats import CalibrationStats
from workbench.recipe import Prune, Quantize, Recipe
from workbench.recipe.prune import CRITERIA as CHOICES


@pytest.fixture
def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {
        "conv.weight": torch.randn(6, 4, 3, 3),
        "conv.bias": torch.randn(6),
        "transposed.weight": torch.randn(30, 20).T,
        "norm.steps": torch.tensor(7),
        "table": torch.arange(12).view(3, 4),
        "scalar": torch.tensor(0.5),
        "empty": torch.zeros(0, 3),
    }


def digest(weights) -> str:
    total = hashlib.sha256()
    for name, tensor in weights.items():
        total.update(f"{name} {tensor.dtype} {tensor.shape} {tensor.stride()}".encode())
        total.update(tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def test_every_criterion_has_its_function() -> None:
    assert set(CRITERIA) == {choice.value for choice in CHOICES}


def test_tensors_with_two_or_more_dimensions_can_be_compressed(weights) -> None:
    assert compressible(weights) == ("conv.weight", "transposed.weight", "empty")


def test_inputs_are_not_modified(weights) -> None:
    before = digest(weights)
    rng = Random(0)
    names = compressible(weights)
    stats = CalibrationStats({name: torch.rand(weights[name].shape) for name in names})
    for _ in range(50):
        coded = encode_tensors(weights, random_recipe(rng, names), stats)
        for tensor in coded.values():
            tensor.tensor()
        assert digest(weights) == before


def test_coded_tensors_are_copies(weights) -> None:
    coded = encode_tensors(weights, Recipe())
    before = {name: tensor.tensor().clone() for name, tensor in coded.items()}
    for tensor in weights.values():
        tensor.zero_()
    assert all(torch.equal(coded[name].tensor(), before[name]) for name in coded)


def test_empty_recipe_keeps_every_tensor(weights) -> None:
    coded = encode_tensors(weights, Recipe())
    assert list(coded) == list(weights)
    for name, tensor in weights.items():
        assert torch.equal(coded[name].tensor(), tensor)
        assert coded[name].tensor().dtype == tensor.dtype


def test_only_compressible_tensors_are_touched(weights) -> None:
    coded = encode_tensors(weights, Recipe(Prune(0.5), Quantize(4)))
    for name in ("conv.bias", "norm.steps", "table", "scalar"):
        assert torch.equal(coded[name].tensor(), weights[name])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("name", ["conv.weight", "conv.bias", "scalar"])
@pytest.mark.parametrize("recipe", [Recipe(), Recipe(Prune(0.5)), Recipe(quantize=Quantize(8))])
def test_nan_and_infinity_are_refused(weights, name, value, recipe) -> None:
    weights[name].view(-1)[0] = value
    with raises("model.not_finite", name):
        encode_tensors(weights, recipe)


def test_unsupported_dtype_is_refused() -> None:
    with raises("model.unsupported_dtype", "complex64"):
        encode_tensors({"w": torch.zeros(2, 2, dtype=torch.complex64)}, Recipe())


def test_parameters_that_require_gradients_are_accepted() -> None:
    weight = torch.nn.Parameter(torch.randn(4, 4))
    coded = encode_tensors({"w": weight}, Recipe(Prune(0.5), Quantize(8)))
    assert not coded["w"].tensor().requires_grad


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(Prune(layers={"conv.weigh": 0.5})),
        Recipe(Prune(exclude=("conv.weigh",))),
        Recipe(quantize=Quantize(layers={"conv.weigh": 4})),
        Recipe(quantize=Quantize(exclude=("conv.weigh",))),
    ],
)
def test_unknown_tensor_suggests_the_nearest(weights, recipe) -> None:
    with raises("recipe.unknown_layer", "'conv.weigh'", "try conv.weight"):
        encode_tensors(weights, recipe)


BUFFERS = {
    "mask": torch.ones(4, 4).tril().bool(),
    "index": torch.arange(12).view(3, 4),
    "rotary": torch.polar(torch.ones(3, 2), torch.full((3, 2), -0.0)),
    "wide": torch.tensor([[-0.0, 1e300]], dtype=torch.float64),
    "table": torch.full((5, 6), -0.0),
    "unset": torch.full((2, 2), torch.nan),
    "blocked": torch.full((2, 2), -torch.inf).triu(1),
    "bytes": torch.full((2, 3), 1.5).to(torch.float8_e4m3fn),
    "counter": torch.tensor(7),
    "empty": torch.zeros(0, 3),
}


@pytest.mark.parametrize("name", BUFFERS)
def test_buffers_are_stored_bit_by_bit_and_never_compressed(name) -> None:
    weights = {"w": torch.randn(8, 8), name: BUFFERS[name]}
    roles = Roles(("w",), frozenset({name}))
    recipe = Recipe(Prune(0.75), Quantize(4))
    coded = encode_tensors(weights, recipe, roles=roles)
    again = Artifact.from_bytes(Artifact.of("m", recipe, coded).to_bytes()).weights()[name]
    assert again.dtype == BUFFERS[name].dtype
    assert again.shape == BUFFERS[name].shape
    assert again.flatten().view(torch.uint8).equal(BUFFERS[name].flatten().view(torch.uint8))
    assert int((coded["w"].tensor() == 0).sum()) >= 48
