"""Covariances of inputs of any scale, and of inputs that are not finite."""

import numpy as np
import pytest
import torch
from torch import nn

import workbench as wb
from workbench.calibration.second_moments import SAFE, finite_vectors, in_float32, second_moments
from workbench.calibration.statistics import input_covariances

SCALES = [1e-35, 1e-23, 1e-13, 1.0, 1e13, 1e19, 1e35]
RECIPES = {
    "pruned": wb.Recipe(wb.Prune(0.5, criterion="curvature")),
    "rounded": wb.Recipe(wb.Quantize(3, rounding="compensated")),
    "low rank": wb.Recipe(wb.Factorize(0.5, aim="outputs", measure="rank")),
    "narrower": wb.Recipe(wb.Structure(0.5, criterion="curvature")),
    "equalized": wb.Recipe(wb.Quantize(4, rounding="compensated"), wb.Adjust(equalize="pairs")),
}


@pytest.mark.parametrize("scale", SCALES)
def test_moments_equal_those_in_double_precision(scale):
    vectors = torch.randn(50, 7) * scale
    wide = vectors.double().numpy()
    expected = wide.T @ wide
    found = second_moments(vectors).numpy()
    np.testing.assert_allclose(found / scale**2, expected / scale**2, rtol=1e-5, atol=1e-5)


def test_usual_moments_have_the_bits_of_single_precision():
    vectors = torch.randn(50, 7)
    assert torch.equal(second_moments(vectors), (vectors.T @ vectors).double())
    assert torch.equal(in_float32(second_moments(vectors)), vectors.T @ vectors)


@pytest.mark.parametrize("scale", SCALES)
def test_moments_in_float32_differ_by_a_power_of_four(scale):
    moments = torch.rand(4, 4).double() * scale**2
    found = in_float32(moments)
    factor = float(found[0, 0].double() / moments[0, 0])
    exponent = np.log2(factor) / 2
    assert exponent == pytest.approx(round(exponent), abs=1e-6)
    torch.testing.assert_close(found.double(), moments * factor)
    if SAFE[0] < scale < SAFE[1]:
        assert factor == pytest.approx(1.0)
    else:
        assert 0.1 < float(found.max()) < 10


def test_no_vectors_and_zeros_have_zero_moments():
    assert torch.equal(in_float32(second_moments(torch.zeros(0, 3))), torch.zeros(3, 3))
    assert torch.equal(in_float32(second_moments(torch.zeros(5, 3))), torch.zeros(3, 3))


def test_vectors_that_are_not_finite_are_omitted():
    vectors = torch.tensor([[1.0, 2.0], [float("nan"), 0.0], [3.0, float("inf")], [-1e38, 3e38]])
    assert torch.equal(finite_vectors(vectors), vectors[[0, 3]])
    large = torch.full((3, 2), 3e38)  # their sum is not finite
    assert torch.equal(finite_vectors(large), large)


def network():
    """Return a network whose hidden values and outputs are proportional to its inputs."""
    torch.manual_seed(0)
    sizes = (6, 16), (16, 16), (16, 3)
    first, second, last = (nn.Linear(*size, bias=False) for size in sizes)
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), last)


def registered(module, inputs, labels):
    parts = dict.fromkeys(("train", "validation", "test"), (inputs, labels))
    return wb.from_module(module.eval(), **parts, name="scaled")


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.parametrize("exponent", [-70, 62])
def test_the_scale_of_the_inputs_changes_no_weight(recipe, exponent):
    inputs = torch.randn(200, 6)
    labels = network()(inputs).argmax(1)
    usual = wb.compress(registered(network(), inputs, labels), recipe)
    scaled = wb.compress(registered(network(), inputs * 2.0**exponent, labels), recipe)
    for name, weight in usual.weights().items():
        torch.testing.assert_close(scaled.weights()[name], weight)
    assert usual.ledger.rows == scaled.ledger.rows


class Dividing(nn.Module):
    """A network whose hidden outputs are not finite where the first input is zero."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Linear(6, 4), nn.Linear(4, 3)

    def forward(self, x):
        return torch.nan_to_num(self.second(self.first(x) / x[:, :1]))


def test_hidden_inputs_that_are_not_finite_do_not_change_covariances():
    inputs, labels = torch.rand(40, 6) + 1, torch.arange(40) % 3
    expected = input_covariances(registered(Dividing(), inputs, labels))
    divided = torch.cat([inputs, torch.tensor([[0.0, 1, 2, 3, 4, 5]])])
    found = input_covariances(registered(Dividing(), divided, torch.arange(41) % 3))
    torch.testing.assert_close(found["second.weight"], expected["second.weight"])
    assert not torch.allclose(found["first.weight"], expected["first.weight"])


def test_a_layer_without_finite_inputs_has_no_covariance():
    class Overflowing(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(6, 4), nn.Linear(4, 3)

        def forward(self, x):
            return torch.nan_to_num(self.second(self.first(x) * torch.inf)) + self.first(x)[:, :3]

    inputs, labels = torch.randn(40, 6), torch.arange(40) % 3
    model = registered(Overflowing(), inputs, labels)
    assert set(input_covariances(model)) == {"first.weight"}
    for recipe in RECIPES.values():
        assert wb.measure(model, recipe, timed=False).bytes > 0
