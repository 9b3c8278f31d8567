"""Low-rank factorization: Eckart-Young bound, factors only if smaller, exact products."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import workbench as wb
from tests.raises import raises
from workbench.artifact.artifact import Artifact
from workbench.calibration.statistics import calibration_stats
from workbench.compression.codecs.stream import entry, find_encodings, parts, read, write
from workbench.compression.coded import Factors, Shared, Uncompressed
from workbench.compression.encode import encode_tensors
from workbench.compression.factorize import break_even_rank, factorize_tensor
from workbench.recipe import Factorize, Prune, Quantize, Recipe, Share, Train


@pytest.fixture
def weight() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    low = torch.randn(40, 6, generator=generator) @ torch.randn(6, 60, generator=generator)
    return low + 0.1 * torch.randn(40, 60, generator=generator)


def product(pair) -> torch.Tensor:
    return pair.u @ pair.v


@pytest.mark.parametrize(("kept", "rank"), [(0.05, 1), (0.25, 6), (0.5, 12), (0.95, 22)])
def test_error_is_the_smallest_for_the_rank(weight, kept, rank) -> None:
    pair = factorize_tensor(weight, Factorize(kept, "bytes"), kept)
    assert pair.u.shape == (40, rank)
    expected = torch.linalg.svdvals(weight.double())[rank:].square().sum()
    error = (product(pair).double() - weight).square().sum()
    assert float(error) == pytest.approx(float(expected), rel=1e-4)


def test_fraction_of_bytes_is_a_fraction_of_the_break_even_rank(weight) -> None:
    assert break_even_rank((40, 60)) == 24
    pair = factorize_tensor(weight, Factorize(0.5, "bytes"), 0.5)
    assert pair.u.numel() + pair.v.numel() == 0.5 * weight.numel()


@pytest.mark.parametrize("kept", [0.5, 0.9, 0.99])
def test_energy_uses_the_smallest_sufficient_rank(weight, kept) -> None:
    pair = factorize_tensor(weight, Factorize(kept, "energy"), kept)
    energy = torch.linalg.svdvals(weight.double()).square()
    rank = pair.u.shape[1]
    assert energy[:rank].sum() >= kept * energy.sum()
    assert energy[: rank - 1].sum() < kept * energy.sum()


def test_no_factors_from_the_break_even_rank(weight) -> None:
    assert factorize_tensor(weight, Factorize(0.7, "rank"), 0.7) is None
    assert factorize_tensor(weight, Factorize(1.0), 1.0) is None
    assert factorize_tensor(torch.zeros(3, 0), Factorize(0.5, "bytes"), 0.5) is None


def test_aim_at_outputs_reduces_their_error() -> None:
    model = wb.model("fashion/lenet-300-100")
    recipe = Recipe(factorize=Factorize(0.4, "bytes", "outputs"))
    stats = calibration_stats(model, recipe)
    for name, covariance in stats.covariances.items():
        matrix = model.weights()[name]
        pairs = [
            factorize_tensor(matrix, settings, 0.4, covariance)
            for settings in (recipe.factorize, Factorize(0.4, "bytes"))
        ]
        errors = [float(covariance.output_error(product(p) - matrix).sum()) for p in pairs]
        assert errors[0] < errors[1]


@pytest.mark.parametrize("more", [{}, {"quantize": Quantize(4)}, {"share": Share(16)}])
@pytest.mark.parametrize("shape", [(40, 60), (24, 6, 5, 5)])
def test_product_in_the_file_is_exact(shape, more) -> None:
    generator = torch.Generator().manual_seed(1)
    weights = {"w": torch.randn(shape, generator=generator)}
    coded = encode_tensors(weights, Recipe(factorize=Factorize(0.3, "bytes"), **more))["w"]
    assert isinstance(coded, Factors)
    assert isinstance(coded.u, Shared if "share" in more else type(coded.v))
    described, stream = entry(coded, find_encodings(coded)), write(coded, find_encodings(coded))
    assert len(stream) == parts(described).total
    decoded = read(described, stream)
    assert torch.equal(decoded.tensor(), coded.tensor())
    u, v = coded.u.tensor().double(), coded.v.tensor().double()
    torch.testing.assert_close(coded.tensor().double(), (u @ v).view(shape), rtol=1e-4, atol=1e-4)


def test_each_term_is_rounded_separately() -> None:
    u, v = torch.tensor([[1.0, 1e8, -1e8]]), torch.tensor([[1.0], [1.0], [1.0]])
    coded = Factors((1, 1), Uncompressed.of(u), Uncompressed.of(v))
    terms = np.float32(0)
    for term in (1.0, 1e8, -1e8):
        terms = np.float32(terms + np.float32(term))
    assert coded.tensor().item() == terms


def test_factors_are_used_only_if_the_file_shrinks() -> None:
    model = wb.model("fashion/lenet5")
    for kept in (0.1, 0.5, 0.9):
        for bits in (32, 4):
            recipe = Recipe(factorize=Factorize(kept, "bytes"), quantize=Quantize(bits))
            baseline = wb.compress(model, Recipe(quantize=Quantize(bits))).ledger
            artifact = wb.compress(model, recipe)
            assert any(isinstance(coded, Factors) for coded in artifact.tensors.values())
            for row in artifact.ledger.rows:
                assert row.total <= baseline[row.name].total


def test_decomposition_of_a_changed_tensor_is_not_reused(weight) -> None:
    before = product(factorize_tensor(weight, Factorize(0.3, "bytes"), 0.3))
    weight *= 2
    after = product(factorize_tensor(weight, Factorize(0.3, "bytes"), 0.3))
    torch.testing.assert_close(after, 2 * before, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("recipe", "code"),
    [
        (
            {"prune": {"sparsity": 0.5}, "factorize": {"keep": 0.5}},
            "recipe.pruned_and_factorized",
        ),
        ({"factorize": {"keep": 0.5}, "train": {"steps": 1}}, "recipe.trained_factors"),
    ],
)
def test_combinations_with_other_parts_are_refused(recipe, code) -> None:
    with raises(code):
        wb.compress(wb.model("fashion/mlp-32"), Recipe.from_json(recipe))


def test_one_layer_can_be_pruned_and_another_factorized() -> None:
    recipe = Recipe(
        prune=Prune(0.5, scope="named", layers={"fc1.weight": 0.5}),
        factorize=Factorize(0.5, "bytes", exclude=("fc1.weight",)),
    )
    artifact = wb.compress(wb.model("fashion/lenet-300-100"), recipe)
    assert isinstance(artifact.tensors["fc2.weight"], Factors)
    assert artifact.weights()["fc1.weight"].count_nonzero() == 784 * 150
    assert Recipe(factorize=Factorize(), train=None) != Recipe(train=Train())


def test_the_ledger_counts_the_scales_of_both_factors() -> None:
    recipe = Recipe(quantize=Quantize(8), factorize=Factorize(0.2))
    coded = encode_tensors({"w": torch.randn(40, 30)}, recipe)
    row = Artifact.of("tiny", recipe, coded).ledger["w"]
    assert coded["w"].u.shape == (40, 2)
    assert (row.values, row.scales) == (2 * (40 + 30), 4 * (40 + 2))  # a scale for each row
