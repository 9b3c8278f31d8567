"""Second-order pruning and rounding, compared with the definition and the simple methods."""

from __future__ import annotations

import pytest
import torch

import workbench as wb
from workbench.calibration.statistics import calibration_stats
from workbench.compression.compensate import compensate
from workbench.compression.covariance import DAMPING, InputCovariance
from workbench.compression.encode import encode_tensors
from workbench.compression.quantize import expand_qparams, fit_qparams, quantize
from workbench.recipe import Prune, Quantize, Recipe
from workbench.threads import threads as use_threads

ROUNDED = Quantize(3, rounding="compensated")


@pytest.fixture(scope="module")
def inputs() -> torch.Tensor:
    """Return correlated inputs, like those of a trained network."""
    generator = torch.Generator().manual_seed(0)
    mixed = torch.randn(48, 48, generator=generator) / 5
    return torch.randn(500, 48, generator=generator) @ mixed


@pytest.fixture(scope="module")
def covariance(inputs) -> InputCovariance:
    return InputCovariance(inputs.T @ inputs / len(inputs))


@pytest.fixture
def weight() -> torch.Tensor:
    return torch.randn(20, 48, generator=torch.Generator().manual_seed(1))


def change(one, other, covariance) -> float:
    return float(covariance.output_error(one - other).sum())


def test_output_error_is_the_error_of_the_outputs(inputs, covariance, weight) -> None:
    other = weight + 0.1 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(2))
    outputs = inputs @ (other - weight).T
    torch.testing.assert_close(
        covariance.output_error(other - weight), outputs.square().mean(dim=0), rtol=1e-4, atol=1e-6
    )


def test_one_pruned_weight_gives_the_update_of_optimal_brain_surgeon(covariance, weight) -> None:
    """With the last column pruned first, the update is w − w_q / [H⁻¹]_qq · [H⁻¹]_q."""
    first = int(covariance.order[0])
    mask = torch.ones_like(weight, dtype=torch.bool)
    mask[:, first] = False
    lost = covariance.inverse[first] / covariance.inverse[first, first]
    expected = weight.double() - weight.double()[:, first : first + 1] * lost
    expected[:, first] = 0
    torch.testing.assert_close(
        compensate(weight, covariance, mask).double(), expected, rtol=1e-4, atol=1e-4
    )


def test_matches_gptq_column_by_column(covariance, weight) -> None:
    """Equations 2 and 3 of the GPTQ paper, with a smaller inverse after every column."""
    qparams = fit_qparams(weight, ROUNDED, 3)
    expanded = expand_qparams(weight, ROUNDED, qparams)
    remaining, result = weight.double().clone(), torch.zeros_like(weight)
    order = covariance.order.tolist()
    matrix = covariance.matrix.double()
    damped = matrix + torch.eye(48) * DAMPING * matrix.diagonal().mean()
    for number, place in enumerate(order):
        rest = order[number:]
        inverse = torch.linalg.inv(damped[rest][:, rest])
        column = remaining[:, place].float()
        result[:, place] = qparams[0].round(column.unsqueeze(1)).squeeze(1)
        error = (remaining[:, place] - result[:, place]) / inverse[0, 0]
        remaining[:, rest] -= torch.outer(error, inverse[0])
    ours = compensate(weight, covariance, None, expanded)
    same = (ours == result).all(dim=1)
    assert same.float().mean() >= 0.8  # one different rounding changes the rest of a row
    expected = change(result, weight, covariance)
    assert change(ours, weight, covariance) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
@pytest.mark.parametrize("granularity", ["tensor", "channel", "group"])
@pytest.mark.parametrize("scheme", ["symmetric", "affine"])
def test_results_are_representable_and_no_worse(bits, granularity, scheme, covariance, weight):
    settings = Quantize(bits, scheme=scheme, granularity=granularity, group_size=16)
    qparams = fit_qparams(weight, settings, bits)
    result = compensate(weight, covariance, None, expand_qparams(weight, settings, qparams))
    requantized = quantize("w", result, settings, qparams).tensor()
    assert torch.equal(requantized, result)
    nearest = quantize("w", weight, settings, qparams).tensor()
    assert (
        covariance.output_error(result - weight) <= covariance.output_error(nearest - weight)
    ).all()


def test_inputs_that_are_always_zero(weight) -> None:
    matrix = torch.zeros(48, 48)
    matrix[:5, :5] = torch.eye(5)
    result = compensate(weight, InputCovariance(matrix), weight.abs() > 1)
    assert torch.isfinite(result).all()
    assert not result[weight.abs() <= 1].any()
    silent = InputCovariance(torch.zeros(48, 48))
    assert torch.isfinite(compensate(weight, silent, weight.abs() > 1)).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fashion/lenet-300-100", "fashion/lenet5", "fashion/cnn-10k"])
@pytest.mark.parametrize(
    ("simple", "compensated"),
    [
        (Recipe(quantize=Quantize(3)), Recipe(quantize=ROUNDED)),
        (
            Recipe(prune=Prune(0.7, scope="uniform")),
            Recipe(prune=Prune(0.7, "curvature", scope="uniform")),
        ),
        (
            Recipe(prune=Prune(0.5, pattern="n_m")),
            Recipe(prune=Prune(0.5, "curvature", pattern="n_m")),
        ),
    ],
)
def test_outputs_change_less_than_with_the_simple_method(simple, compensated, name) -> None:
    model = wb.model(name)
    stats = calibration_stats(model, compensated)
    weights = model.weights()
    ours, theirs = encode_tensors(weights, compensated, stats), encode_tensors(weights, simple)
    ratios = {}
    for layer, covariance in stats.covariances.items():
        original = weights[layer].flatten(1)
        decoded = [coded[layer].tensor() for coded in (ours, theirs)]
        errors = [change(tensor.flatten(1), original, covariance) for tensor in decoded]
        assert errors[0] <= errors[1] * (1 + 1e-5)
        if original.shape[1] > 100:
            ratios[layer] = errors[0] / errors[1]
        zeros = [int((tensor == 0).sum()) for tensor in decoded]
        if compensated.prune is not None:
            assert zeros[0] >= zeros[1]
    assert sum(ratio <= 0.8 for ratio in ratios.values()) >= 0.8 * len(ratios), ratios


def test_rounding_keeps_the_zeros_of_pruning() -> None:
    model = wb.model("fashion/lenet-300-100")
    halves = Prune(0.5, "curvature", pattern="n_m")
    weight = wb.compress(model, Recipe(prune=halves, quantize=ROUNDED)).weights()["fc1.weight"]
    assert ((weight.view(-1, 4) != 0).sum(dim=1) <= 2).all()


@pytest.mark.slow
def test_file_does_not_depend_on_the_number_of_threads() -> None:
    model = wb.model("fashion/lenet5")
    recipe = Recipe(prune=Prune(0.6, "curvature"), quantize=Quantize(3, rounding="compensated"))
    blobs = []
    for count in (1, 2):
        with use_threads(count):
            blobs.append(wb.compress(model, recipe).to_bytes())
    assert blobs[0] == blobs[1]


def test_layers_without_a_covariance_are_rounded_to_nearest() -> None:
    weights = {"table.weight": torch.randn(9, 5)}
    nearest = encode_tensors(weights, Recipe(quantize=Quantize(3)))["table.weight"].tensor()
    assert torch.equal(
        encode_tensors(weights, Recipe(quantize=ROUNDED))["table.weight"].tensor(), nearest
    )
