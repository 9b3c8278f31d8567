"""Second-order pruning and rounding against the definition, and against the plain methods."""

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
    """Inputs that go together, as those of a trained network do."""
    generator = torch.Generator().manual_seed(0)
    mixed = torch.randn(48, 48, generator=generator) / 5
    return torch.randn(500, 48, generator=generator) @ mixed


@pytest.fixture(scope="module")
def moment(inputs) -> InputCovariance:
    return InputCovariance(inputs.T @ inputs / len(inputs))


@pytest.fixture
def weight() -> torch.Tensor:
    return torch.randn(20, 48, generator=torch.Generator().manual_seed(1))


def change(one, other, moment) -> float:
    return float(moment.output_error(one - other).sum())


def test_the_error_is_that_of_the_outputs(inputs, moment, weight) -> None:
    other = weight + 0.1 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(2))
    outputs = inputs @ (other - weight).T
    torch.testing.assert_close(
        moment.output_error(other - weight), outputs.square().mean(dim=0), rtol=1e-4, atol=1e-6
    )


def test_one_weight_less_is_made_good_as_the_surgeon_does(moment, weight) -> None:
    """With the last column pruned first, the update is w − w_q / [H⁻¹]_qq · [H⁻¹]_q."""
    first = int(moment.order[0])
    kept = torch.ones_like(weight, dtype=torch.bool)
    kept[:, first] = False
    lost = moment.inverse[first] / moment.inverse[first, first]
    wanted = weight.double() - weight.double()[:, first : first + 1] * lost
    wanted[:, first] = 0
    torch.testing.assert_close(
        compensate(weight, moment, kept).double(), wanted, rtol=1e-4, atol=1e-4
    )


def test_it_is_the_definition_column_by_column(moment, weight) -> None:
    """GPTQ as its paper's equations 2 and 3 have it: a smaller inverse after every column."""
    grids = fit_qparams(weight, ROUNDED, 3)
    steps = expand_qparams(weight, ROUNDED, grids)
    left, done = weight.double().clone(), torch.zeros_like(weight)
    order = moment.order.tolist()
    matrix = moment.matrix.double()
    damped = matrix + torch.eye(48) * DAMPING * matrix.diagonal().mean()
    for number, place in enumerate(order):
        rest = order[number:]
        inverse = torch.linalg.inv(damped[rest][:, rest])
        column = left[:, place].float()
        done[:, place] = grids[0].round(column.unsqueeze(1)).squeeze(1)
        error = (left[:, place] - done[:, place]) / inverse[0, 0]
        left[:, rest] -= torch.outer(error, inverse[0])
    ours = compensate(weight, moment, None, steps)
    same = (ours == done).all(dim=1)
    assert same.float().mean() >= 0.8  # a rounding on a border sends the rest of its row elsewhere
    assert change(ours, weight, moment) == pytest.approx(change(done, weight, moment), rel=0.05)


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
@pytest.mark.parametrize("granularity", ["tensor", "channel", "group"])
@pytest.mark.parametrize("scheme", ["symmetric", "affine"])
def test_what_comes_out_is_on_the_grid_and_no_worse(bits, granularity, scheme, moment, weight):
    settings = Quantize(bits, scheme=scheme, granularity=granularity, group_size=16)
    grids = fit_qparams(weight, settings, bits)
    found = compensate(weight, moment, None, expand_qparams(weight, settings, grids))
    again = quantize("w", found, settings, grids).tensor()
    assert torch.equal(again, found)
    plain = quantize("w", weight, settings, grids).tensor()
    assert (moment.output_error(found - weight) <= moment.output_error(plain - weight)).all()


def test_inputs_that_are_never_there_harm_nothing(weight) -> None:
    matrix = torch.zeros(48, 48)
    matrix[:5, :5] = torch.eye(5)
    found = compensate(weight, InputCovariance(matrix), weight.abs() > 1)
    assert torch.isfinite(found).all()
    assert not found[weight.abs() <= 1].any()
    silent = InputCovariance(torch.zeros(48, 48))
    assert torch.isfinite(compensate(weight, silent, weight.abs() > 1)).all()


@pytest.mark.parametrize("name", ["fashion/lenet-300-100", "fashion/lenet5", "fashion/cnn-10k"])
@pytest.mark.parametrize(
    ("plain", "better"),
    [
        (Recipe(quantize=Quantize(3)), Recipe(quantize=ROUNDED)),
        (
            Recipe(prune=Prune(0.7, scope="uniform")),
            Recipe(prune=Prune(0.7, "curvature", scope="uniform")),
        ),
        (
            Recipe(prune=Prune(0.5, pattern="n:m")),
            Recipe(prune=Prune(0.5, "curvature", pattern="n:m")),
        ),
    ],
)
def test_layers_change_less_than_with_the_plain_method(plain, better, name) -> None:
    model = wb.model(name)
    evidence = calibration_stats(model, better)
    weights = model.weights()
    ours, theirs = encode_tensors(weights, better, evidence), encode_tensors(weights, plain)
    ratios = {}
    for layer, moment in evidence.covariances.items():
        whole = weights[layer].flatten(1)
        left = [change(one[layer].tensor().flatten(1), whole, moment) for one in (ours, theirs)]
        assert left[0] <= left[1] * (1 + 1e-5)
        if whole.shape[1] > 100:
            ratios[layer] = left[0] / left[1]
        zeros = [int((one[layer].tensor() == 0).sum()) for one in (ours, theirs)]
        if better.prune is not None:
            assert zeros[0] >= zeros[1]
    assert sum(ratio <= 0.8 for ratio in ratios.values()) >= 0.8 * len(ratios), ratios


def test_zeros_stay_where_both_prune_and_round() -> None:
    model = wb.model("fashion/lenet-300-100")
    halves = Prune(0.5, "curvature", pattern="n:m")
    found = wb.compress(model, Recipe(prune=halves, quantize=ROUNDED)).weights()["fc1.weight"]
    assert ((found.view(-1, 4) != 0).sum(dim=1) <= 2).all()


def test_the_file_does_not_hang_on_the_number_of_threads() -> None:
    model = wb.model("fashion/lenet5")
    recipe = Recipe(prune=Prune(0.6, "curvature"), quantize=Quantize(3, rounding="compensated"))
    blobs = []
    for count in (1, 2):
        with use_threads(count):
            blobs.append(wb.compress(model, recipe).to_bytes())
    assert blobs[0] == blobs[1]


def test_layers_without_inputs_are_rounded_to_the_nearest() -> None:
    weights = {"table.weight": torch.randn(9, 5)}
    plain = encode_tensors(weights, Recipe(quantize=Quantize(3)))["table.weight"].tensor()
    assert torch.equal(
        encode_tensors(weights, Recipe(quantize=ROUNDED))["table.weight"].tensor(), plain
    )
