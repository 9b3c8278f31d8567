"""Masks match torch.nn.utils.prune; among equal scores, the first are pruned."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils import prune as reference

from workbench.compression.prune import masks
from workbench.compression.stats import CalibrationStats
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
        f"{name}.{attribute}": tensor.detach()
        for name, layer in layers.items()
        for attribute, tensor in layer.named_parameters()
    }


def pairs(layers, skip=()) -> list[tuple[nn.Module, str]]:
    return [
        (layer, attribute)
        for name, layer in layers.items()
        for attribute, tensor in layer.named_parameters()
        if tensor.ndim >= 2 and f"{name}.{attribute}" not in skip
    ]


def expected(layers) -> dict[str, torch.Tensor]:
    return {
        f"{name}.{attribute.removesuffix('_mask')}": mask.bool()
        for name, layer in layers.items()
        for attribute, mask in layer.named_buffers()
        if attribute.endswith("_mask")
    }


def assert_same(result, expected_masks) -> None:
    touched = {
        name: mask for name, mask in result.items() if name in expected_masks or not mask.all()
    }
    assert touched.keys() == expected_masks.keys()
    for name, mask in touched.items():
        assert torch.equal(mask, expected_masks[name]), name


@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_uniform(layers, sparsity) -> None:
    result = masks(
        parameters(layers), Prune(sparsity=sparsity, scope="uniform"), CalibrationStats()
    )
    for layer, attribute in pairs(layers):
        reference.l1_unstructured(layer, attribute, sparsity)
    assert_same(result, expected(layers))


@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_global(layers, sparsity) -> None:
    result = masks(parameters(layers), Prune(sparsity=sparsity), CalibrationStats())
    reference.global_unstructured(pairs(layers), reference.L1Unstructured, amount=sparsity)
    assert_same(result, expected(layers))


def lamp(weights: dict[str, torch.Tensor], sparsity: float) -> dict[str, torch.Tensor]:
    """Remove one weight at a time: the smallest relative to the remaining weights of its layer."""
    remaining = {name: w.double().square().flatten().tolist() for name, w in weights.items()}
    masks = {name: [True] * len(squares) for name, squares in remaining.items()}
    for _ in range(round(sparsity * sum(map(len, remaining.values())))):
        smallest = {
            name: min((s, n) for n, s in enumerate(squares) if masks[name][n])
            for name, squares in remaining.items()
            if any(masks[name])
        }
        totals = {
            name: sum(s for s, keep in zip(remaining[name], masks[name], strict=True) if keep)
            for name in smallest
        }
        weakest = min(smallest, key=lambda name: smallest[name][0] / totals[name])
        masks[weakest][smallest[weakest][1]] = False
    return {name: torch.tensor(masks[name]).view(w.shape) for name, w in weights.items()}


@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_adaptive_is_lamp(layers, sparsity) -> None:
    weights = {name: w for name, w in parameters(layers).items() if w.ndim > 1 and w.numel() < 700}
    assert len(weights) == 4
    result = masks(weights, Prune(sparsity=sparsity, scope="adaptive"), CalibrationStats())
    assert_same(
        result, {name: mask for name, mask in lamp(weights, sparsity).items() if not mask.all()}
    )
    assert all(bool(mask.any()) for mask in result.values())


def test_adaptive_prunes_a_layer_of_zeros_completely() -> None:
    weights = {"a": torch.zeros(4, 4), "b": torch.ones(4, 4)}
    result = masks(weights, Prune(0.5, scope="adaptive"), CalibrationStats())
    assert not result["a"].any()
    assert result["b"].all()


@pytest.mark.parametrize("scope", ["global", "uniform", "named"])
def test_sparsity_of_single_layers_and_excluded_layers(layers, scope) -> None:
    single = {"a.weight": 0.25, "b.weight": 0.95}
    settings = Prune(0.6, scope=scope, layers=single, exclude=("c.weight_hh_l0",))
    result = masks(parameters(layers), settings, CalibrationStats())
    others = pairs(layers, skip={*single, *settings.exclude})
    if scope == "global":
        reference.global_unstructured(others, reference.L1Unstructured, amount=0.6)
    if scope == "uniform":
        for layer, name in others:
            reference.l1_unstructured(layer, name, 0.6)
    for name, sparsity in single.items():
        reference.l1_unstructured(layers[name[0]], "weight", sparsity)
    assert_same(result, expected(layers))


def test_gradient_scores_rank_by_weight_times_gradient(layers) -> None:
    weights = parameters(layers)
    gradients = {name: torch.rand_like(w) for name, w in weights.items()}
    settings = Prune(0.7, criterion="gradient", scope="uniform")
    result = masks(weights, settings, CalibrationStats(gradients))
    for layer, attribute in pairs(layers):
        name = next(f"{key}.{attribute}" for key, value in layers.items() if value is layer)
        scores = weights[name] * gradients[name]
        reference.l1_unstructured(layer, attribute, 0.7, importance_scores=scores)
    assert_same(result, expected(layers))


def test_random_depends_only_on_the_seed(layers) -> None:
    weights = parameters(layers)

    def random_masks(seed, tensors=weights):
        return masks(tensors, Prune(0.5, criterion="random", seed=seed), CalibrationStats())

    first, other = random_masks(1), random_masks(2)
    repeated = random_masks(1, {k: w * 3 for k, w in weights.items()})
    assert all(torch.equal(first[name], repeated[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)
    assert sum(int((~mask).sum()) for mask in first.values()) == round(
        0.5 * sum(mask.numel() for mask in first.values())
    )


@pytest.mark.parametrize("sparsity", SPARSITIES)
@pytest.mark.parametrize("values", [torch.zeros(10, 10), torch.ones(10, 10)])
def test_first_of_equal_scores_are_pruned_and_the_number_is_exact(sparsity, values) -> None:
    mask = masks({"w": values}, Prune(sparsity), CalibrationStats())["w"].flatten()
    pruned = round(sparsity * 100)
    assert mask.tolist() == [False] * pruned + [True] * (100 - pruned)


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (2, 0, 2)])
def test_edge_shapes(shape) -> None:
    mask = masks({"w": torch.ones(shape)}, Prune(0.99), CalibrationStats())["w"]
    assert mask.shape == shape
    assert not mask.any()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_other_floats(dtype) -> None:
    weight = torch.arange(1, 101).view(10, 10).to(dtype)
    mask = masks({"w": weight}, Prune(0.4), CalibrationStats())["w"]
    assert mask.flatten().tolist() == [False] * 40 + [True] * 60


def test_vectors_and_integers_are_never_pruned() -> None:
    weights = {"bias": torch.ones(5), "steps": torch.ones(2, 2, dtype=torch.int64)}
    assert masks(weights, Prune(0.9), CalibrationStats()) == {}


RUN_CASES = [(0.5, 4, 2), (0.75, 4, 3), (0.9, 4, 3), (0.99, 8, 7), (0.1, 4, 0), (0.6, 7, 4)]


@pytest.mark.parametrize("shape", [(6, 56), (6, 56, 3, 3), (5, 1, 5, 5), (3, 2)])
@pytest.mark.parametrize(("sparsity", "width", "removed"), RUN_CASES)
def test_each_run_along_the_input_loses_its_smallest(sparsity, width, removed, shape) -> None:
    generator = torch.Generator().manual_seed(3)
    weight = torch.randn(shape, generator=generator)
    mask = masks({"w": weight}, Prune(sparsity, pattern="n_m", width=width), CalibrationStats())[
        "w"
    ]
    rows = weight.movedim(1, -1).flatten(1).abs().tolist()
    kept = mask.movedim(1, -1).flatten(1).tolist()
    for row, flags in zip(rows, kept, strict=True):
        for start in range(0, len(row), width):
            run, kept_flags = row[start : start + width], flags[start : start + width]
            short = min(round(sparsity * len(run)), len(run) - 1)
            lost = sorted(run)[: removed if len(run) == width else short]
            assert [value in lost for value in run] == [not flag for flag in kept_flags]


def test_2_of_4_keeps_the_two_largest() -> None:
    weight = torch.randn(32, 64, generator=torch.Generator().manual_seed(1))
    mask = masks({"w": weight}, Prune(0.5, pattern="n_m"), CalibrationStats())["w"]
    assert (mask.view(32, 16, 4).sum(dim=2) == 2).all()
    two = weight.abs().view(-1, 4).topk(2, dim=1).indices
    expected_mask = torch.zeros(32 * 16, 4, dtype=torch.bool).scatter_(1, two, True)
    assert torch.equal(mask.view(-1, 4), expected_mask)


@pytest.mark.parametrize("scope", ["global", "uniform", "adaptive"])
@pytest.mark.parametrize("width", [2, 4, 5])
def test_blocks_are_pruned_together_by_their_mean(scope, width) -> None:
    generator = torch.Generator().manual_seed(4)
    weights = {
        "a": torch.randn(10, 12, generator=generator),
        "b": torch.randn(8, 6, 3, 3, generator=generator),
    }
    prune = Prune(0.6, scope=scope, pattern="block", width=width)
    kept, means = {}, {}
    for name, mask in masks(weights, prune, CalibrationStats()).items():
        flags = mask.movedim(1, -1).flatten(1)
        scores = weights[name].movedim(1, -1).flatten(1).abs().double()
        for row in range(0, flags.shape[0], width):
            for column in range(0, flags.shape[1], width):
                block = (slice(row, row + width), slice(column, column + width))
                assert flags[block].all() or not flags[block].any()
                kept[name, row, column] = bool(flags[block].all())
                means[name, row, column] = float(scores[block].mean())
    removed = [block for block, stays in kept.items() if not stays]
    groups = [["a", "b"]] if scope == "global" else [["a"], ["b"]]
    for names in groups:
        lost = [means[block] for block in removed if block[0] in names]
        remaining = [means[b] for b, stays in kept.items() if stays and b[0] in names]
        assert max(lost) <= min(remaining)
    if scope != "adaptive":
        for names in groups:
            blocks_of_group = [block for block in kept if block[0] in names]
            assert len([b for b in removed if b[0] in names]) == round(0.6 * len(blocks_of_group))


@pytest.mark.parametrize("pattern", ["n_m", "block"])
def test_patterns_in_single_layers_and_excluded_layers(pattern) -> None:
    weights = {name: torch.randn(16, 16) for name in "abc"}
    prune = Prune(0.5, pattern=pattern, layers={"b": 0.75}, exclude=("c",))
    result = masks(weights, prune, CalibrationStats())
    assert "c" not in result
    assert 1 - result["b"].float().mean() == pytest.approx(0.75)
    alone = Prune(0.5, pattern=pattern, scope="named", layers={"b": 0.75})
    assert [*masks(weights, alone, CalibrationStats())] == ["b"]
