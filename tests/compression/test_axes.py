"""Tensors in other layouts are compressed as their canonical layout is."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
import torch

from tests.recipes import random_recipe
from workbench.compression.axes import Axes, is_canonical
from workbench.compression.covariance import InputCovariance
from workbench.compression.encode import encode_tensors
from workbench.compression.roles import Roles
from workbench.compression.stats import CalibrationStats
from workbench.recipe import Factorize, Prune, Quantize, Recipe, Share


def by_hand(array: np.ndarray, axes: Axes) -> np.ndarray:
    """Permute `array` to the canonical layout value by value."""
    shape = array.shape
    others = [axis for axis in range(len(shape)) if axis not in axes.outputs + axes.inputs]
    rows = axes.groups * int(np.prod([shape[a] for a in axes.outputs], dtype=int))
    columns = int(np.prod([shape[a] for a in axes.inputs], dtype=int)) // axes.groups
    out = np.full((rows, columns, *(shape[a] for a in others)), np.nan, array.dtype)
    for place in np.ndindex(shape):
        row = column = 0
        if axes.groups > 1:
            row = place[axes.inputs[0]] // (shape[axes.inputs[0]] // axes.groups)
        for axis in axes.outputs:
            row = row * shape[axis] + place[axis]
        for number, axis in enumerate(axes.inputs):
            length = shape[axis] // axes.groups if number == 0 else shape[axis]
            column = column * length + place[axis] % length
        out[(row, column, *(place[a] for a in others))] = array[place]
    return out


KINDS = {
    "x @ W": ((5, 7), Axes((1,), (0,))),
    "transposed convolution": ((4, 6, 3, 2), Axes((1,), (0,))),
    "transposed convolution in groups": ((6, 4, 3), Axes((1,), (0,), 3)),
    "kernel of Keras": ((3, 2, 4, 6), Axes((3,), (2,))),
    "depthwise kernel of Keras": ((3, 3, 5, 2), Axes((2, 3), ())),
    "queries of heads": ((6, 2, 3), Axes((1, 2), (0,))),
    "outputs of heads": ((2, 3, 6), Axes((2,), (0, 1))),
    "experts": ((3, 4, 5), Axes((0, 2), (1,))),
    "kernel in groups": ((2, 4, 3), Axes((2,), (1,), 2)),
}
kinds = pytest.mark.parametrize(("shape", "axes"), KINDS.values(), ids=KINDS)


def weight_of(shape: tuple[int, ...]) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(len(shape)))


@kinds
def test_permuting_and_undoing_it(shape, axes) -> None:
    weight = weight_of(shape)
    canonical = axes.to_canonical(weight)
    np.testing.assert_array_equal(canonical, by_hand(weight.numpy(), axes))
    assert tuple(canonical.shape) == axes.shape(shape)
    assert axes.matches(shape)
    assert not is_canonical(axes, shape)
    assert torch.equal(axes.from_canonical(canonical, shape), weight)
    assert axes.from_canonical(canonical, shape).is_contiguous()
    assert Axes.from_list(axes.as_list()) == axes


RECIPES = {
    "scale of each output": Recipe(quantize=Quantize(4)),
    "affine groups": Recipe(
        quantize=Quantize(3, scheme="affine", granularity="group", group_size=8)
    ),
    "least squares": Recipe(quantize=Quantize(2, range="mse")),
    "compensated": Recipe(quantize=Quantize(3, rounding="compensated")),
    "runs": Recipe(Prune(0.5, pattern="n_m", width=2)),
    "blocks": Recipe(Prune(0.5, pattern="block", width=2), Quantize(4)),
    "by gradient": Recipe(Prune(0.4, criterion="gradient")),
    "by curvature": Recipe(Prune(0.4, criterion="curvature")),
    "codebook of each output": Recipe(share=Share(2, granularity="channel")),
    "low rank": Recipe(factorize=Factorize(0.4, measure="rank")),
    "low rank of outputs": Recipe(factorize=Factorize(0.4, measure="rank", aim="outputs")),
    "half precision": Recipe(quantize=Quantize(16)),
}


@kinds
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_tensor_is_compressed_as_its_canonical_layout(shape, axes, recipe) -> None:
    weight, gradient = weight_of(shape), weight_of(shape).sin().abs()
    canonical = torch.from_numpy(by_hand(weight.numpy(), axes))
    inputs = torch.randn(50, canonical[0].numel(), generator=torch.Generator().manual_seed(1))
    covariances = {"w": InputCovariance(inputs.T @ inputs / 50)}
    stats = CalibrationStats({"w": gradient}, covariances)
    canonical_gradient = torch.from_numpy(by_hand(gradient.numpy(), axes))
    canonical_stats = CalibrationStats({"w": canonical_gradient}, covariances)
    coded = encode_tensors({"w": weight}, recipe, stats, roles=Roles(("w",), axes={"w": axes}))["w"]
    expected = encode_tensors({"w": canonical}, recipe, canonical_stats)["w"]
    assert coded.shape == shape
    assert coded.coded_shape == expected.shape
    np.testing.assert_array_equal(by_hand(coded.tensor().numpy(), axes), expected.tensor().numpy())
    assert type(coded) is type(expected)


def test_each_output_of_a_grouped_transposed_convolution_has_its_scale() -> None:
    """Compare with a loop over the output channels."""
    layer = torch.nn.ConvTranspose2d(6, 4, 3, groups=2)
    weight = layer.weight.detach()
    roles = Roles(("w",), axes={"w": Axes((1,), (0,), 2)})
    decoded = encode_tensors({"w": weight}, Recipe(quantize=Quantize(4)), roles=roles)["w"].tensor()
    for channel in range(4):
        group, number = divmod(channel, 2)
        part = weight[3 * group : 3 * group + 3, number]
        scale = part.abs().max() / 7
        expected = (part * scale.reciprocal()).round().clamp(-7, 7) * scale
        assert torch.equal(decoded[3 * group : 3 * group + 3, number], expected)


def test_singular_values_of_a_permuted_tensor_are_cached(monkeypatch) -> None:
    weight = weight_of((5, 7))
    roles = Roles(("w",), axes={"w": Axes((1,), (0,))})
    calls = []
    svd = torch.linalg.svd
    monkeypatch.setattr(torch.linalg, "svd", lambda *a, **k: calls.append(1) or svd(*a, **k))
    recipe = RECIPES["low rank"]
    for kept in (0.3, 0.4, 0.5):
        part = replace(recipe.factorize, keep=kept)
        encode_tensors({"w": weight}, replace(recipe, factorize=part), roles=roles)
    assert len(calls) == 1
    encode_tensors({"w": weight}, recipe)  # the same tensor in its own layout
    assert len(calls) == 2


def test_tensor_that_does_not_divide_into_its_groups_is_not_permuted() -> None:
    roles = Roles(("w",), axes={"w": Axes((1,), (0,), 2)})
    weight = weight_of((3, 4))
    coded = encode_tensors({"w": weight}, Recipe(quantize=Quantize(4)), roles=roles)["w"]
    assert coded.axes is None
    assert torch.equal(
        coded.tensor(), encode_tensors({"w": weight}, Recipe(quantize=Quantize(4)))["w"].tensor()
    )


@pytest.mark.parametrize(
    ("axes", "shape", "canonical"),
    [
        (Axes((0,), (1,)), (3, 4, 5), True),
        (Axes((0, 2, 3), (1,)), (3, 4, 1, 1), True),
        (Axes((0, 1), ()), (3, 1, 5, 5), True),
        (Axes((0, 1), ()), (3, 1), True),
        (Axes((1,), (0,), 3), (3, 1, 5), True),
        (Axes((1,), (0,), 3), (3, 2, 5), False),
        (Axes((1,), (0,), 3), (6, 1, 5), False),
        (Axes((1,), (0,)), (1, 4), False),
        (Axes((1,), (0,)), (4, 4), False),
        (Axes((0,), (1, 2)), (3, 4, 5), False),
        (Axes((1, 0), (2,)), (3, 4, 5), False),
    ],
)
def test_canonical_layouts(axes, shape, canonical) -> None:
    assert is_canonical(axes, shape) is canonical
    if canonical:
        weight = weight_of(shape)
        assert torch.equal(axes.to_canonical(weight).flatten(), weight.flatten())


def test_random_recipes_give_the_same_weights_in_both_layouts() -> None:
    rng = Random(3)
    weight, axes = weight_of((12, 8)), Axes((1,), (0,))
    stats = CalibrationStats({"w": weight.abs()})
    for _ in range(40):
        recipe = random_recipe(rng, ("w",))
        coded = encode_tensors({"w": weight}, recipe, stats, roles=Roles(("w",), axes={"w": axes}))[
            "w"
        ]
        expected = encode_tensors(
            {"w": weight.T.contiguous()}, recipe, CalibrationStats({"w": weight.T.abs()})
        )["w"]
        assert torch.equal(coded.tensor().T, expected.tensor())
