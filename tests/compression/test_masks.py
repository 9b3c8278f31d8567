"""Masks are those of torch.nn.utils.prune; ties go to the first in order."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils import prune as reference

from workbench.compression.evidence import Evidence
from workbench.compression.prune import masks
from workbench.recipe import Prune

SPARSITIES = (0.0, 0.01, 0.3, 0.5, 0.777, 0.9, 0.99)


@pytest.fixture
def layers() -> dict[str, nn.Module]:
    torch.manual_seed(5)
    return {
        "a": nn.Linear(37, 53),
        "b": nn.Conv2d(3, 8, 5),
        "c": nn.LSTM(6, 7),
        "d": nn.Embedding(9, 4),
    }


def parameters(layers) -> dict[str, torch.Tensor]:
    return {
        f"{name}.{own}": tensor.detach()
        for name, layer in layers.items()
        for own, tensor in layer.named_parameters()
    }


def pairs(layers, skip=()) -> list[tuple[nn.Module, str]]:
    return [
        (layer, own)
        for name, layer in layers.items()
        for own, tensor in layer.named_parameters()
        if tensor.ndim >= 2 and f"{name}.{own}" not in skip
    ]


def expected(layers) -> dict[str, torch.Tensor]:
    return {
        f"{name}.{own.removesuffix('_mask')}": mask.bool()
        for name, layer in layers.items()
        for own, mask in layer.named_buffers()
        if own.endswith("_mask")
    }


def assert_same(got, wanted) -> None:
    touched = {name: mask for name, mask in got.items() if name in wanted or not mask.all()}
    assert touched.keys() == wanted.keys()
    for name, mask in touched.items():
        assert torch.equal(mask, wanted[name]), name


@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_uniform(layers, sparsity) -> None:
    got = masks(parameters(layers), Prune(sparsity=sparsity, scope="uniform"), Evidence())
    for layer, own in pairs(layers):
        reference.l1_unstructured(layer, own, sparsity)
    assert_same(got, expected(layers))


@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_global(layers, sparsity) -> None:
    got = masks(parameters(layers), Prune(sparsity=sparsity), Evidence())
    reference.global_unstructured(pairs(layers), reference.L1Unstructured, amount=sparsity)
    assert_same(got, expected(layers))


def lamp(weights: dict[str, torch.Tensor], sparsity: float) -> dict[str, torch.Tensor]:
    """Remove one weight after the other: always the one with the least share of what is left."""
    left = {name: w.double().square().flatten().tolist() for name, w in weights.items()}
    kept = {name: [True] * len(squares) for name, squares in left.items()}
    for _ in range(round(sparsity * sum(map(len, left.values())))):
        shares = {
            name: min((s, n) for n, s in enumerate(squares) if kept[name][n])
            for name, squares in left.items()
            if any(kept[name])
        }
        totals = {
            name: sum(s for s, keep in zip(left[name], kept[name], strict=True) if keep)
            for name in shares
        }
        weakest = min(shares, key=lambda name: shares[name][0] / totals[name])
        kept[weakest][shares[weakest][1]] = False
    return {name: torch.tensor(kept[name]).view(w.shape) for name, w in weights.items()}


@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_adaptive_is_lamp(layers, sparsity) -> None:
    weights = {name: w for name, w in parameters(layers).items() if w.ndim > 1 and w.numel() < 700}
    assert len(weights) == 4
    got = masks(weights, Prune(sparsity=sparsity, scope="adaptive"), Evidence())
    assert_same(
        got, {name: mask for name, mask in lamp(weights, sparsity).items() if not mask.all()}
    )
    assert all(bool(mask.any()) for mask in got.values())


def test_adaptive_spares_a_layer_of_zeros_no_zero() -> None:
    weights = {"a": torch.zeros(4, 4), "b": torch.ones(4, 4)}
    got = masks(weights, Prune(0.5, scope="adaptive"), Evidence())
    assert not got["a"].any()
    assert got["b"].all()


@pytest.mark.parametrize("scope", ["global", "uniform", "layer"])
def test_layers_of_their_own_and_layers_left_whole(layers, scope) -> None:
    own = {"a.weight": 0.25, "b.weight": 0.95}
    settings = Prune(0.6, scope=scope, layers=own, exclude=("c.weight_hh_l0",))
    got = masks(parameters(layers), settings, Evidence())
    others = pairs(layers, skip={*own, *settings.exclude})
    if scope == "global":
        reference.global_unstructured(others, reference.L1Unstructured, amount=0.6)
    if scope == "uniform":
        for layer, name in others:
            reference.l1_unstructured(layer, name, 0.6)
    for name, sparsity in own.items():
        reference.l1_unstructured(layers[name[0]], "weight", sparsity)
    assert_same(got, expected(layers))


def test_gradient_scores_rank_by_weight_times_gradient(layers) -> None:
    weights = parameters(layers)
    gradients = {name: torch.rand_like(w) for name, w in weights.items()}
    settings = Prune(0.7, criterion="gradient", scope="uniform")
    got = masks(weights, settings, Evidence(gradients))
    for layer, own in pairs(layers):
        name = next(f"{key}.{own}" for key, value in layers.items() if value is layer)
        scores = weights[name] * gradients[name]
        reference.l1_unstructured(layer, own, 0.7, importance_scores=scores)
    assert_same(got, expected(layers))


def test_random_depends_on_the_seed_alone(layers) -> None:
    weights = parameters(layers)

    def lot(seed, of=weights):
        return masks(of, Prune(0.5, criterion="random", seed=seed), Evidence())

    first, again, other = lot(1), lot(1, {k: w * 3 for k, w in weights.items()}), lot(2)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)
    assert sum(int((~mask).sum()) for mask in first.values()) == round(
        0.5 * sum(mask.numel() for mask in first.values())
    )


@pytest.mark.parametrize("sparsity", SPARSITIES)
@pytest.mark.parametrize("values", [torch.zeros(10, 10), torch.ones(10, 10)])
def test_ties_go_first_in_order_and_the_number_is_exact(sparsity, values) -> None:
    mask = masks({"w": values}, Prune(sparsity), Evidence())["w"].flatten()
    pruned = round(sparsity * 100)
    assert mask.tolist() == [False] * pruned + [True] * (100 - pruned)


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (2, 0, 2)])
def test_edge_shapes(shape) -> None:
    mask = masks({"w": torch.ones(shape)}, Prune(0.99), Evidence())["w"]
    assert mask.shape == shape
    assert not mask.any()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_other_floats(dtype) -> None:
    weight = torch.arange(1, 101).view(10, 10).to(dtype)
    mask = masks({"w": weight}, Prune(0.4), Evidence())["w"]
    assert mask.flatten().tolist() == [False] * 40 + [True] * 60


def test_vectors_and_integers_are_never_pruned() -> None:
    weights = {"bias": torch.ones(5), "steps": torch.ones(2, 2, dtype=torch.int64)}
    assert masks(weights, Prune(0.9), Evidence()) == {}
