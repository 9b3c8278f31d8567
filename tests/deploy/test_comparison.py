"""Outputs are compared by value, also where they are not finite."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest
import torch

from workbench.cancel import NEVER
from workbench.deploy import comparison
from workbench.deploy.comparison import differences
from workbench.deploy.outputs import Outputs, outputs_of_file
from workbench.deploy.source import exported_network
from workbench.evaluation.reference import BORDERLINE, predict, predict_float64
from workbench.runtime.batch import Batch


def test_outputs_that_are_not_finite_in_the_same_place_are_equal():
    exact = torch.tensor([[1.0, nan], [inf, 0.0], [-inf, 2.0], [3.0, 4.0]])
    file = Outputs(exact)
    assert file.equal_rows(exact.clone()).all()
    assert file.largest_difference(exact.clone()) == 0
    near = exact + 1e-5
    assert file.equal_rows(near).all()
    assert 0 < file.largest_difference(near) < 2e-5


def test_outputs_that_are_not_finite_in_another_place_are_different():
    file = Outputs(torch.tensor([[1.0, nan], [inf, 0.0], [3.0, 4.0], [5.0, 6.0]]))
    outputs = torch.tensor([[1.0, 2.0], [-inf, 0.0], [nan, 4.0], [5.0, 6.0]])
    assert file.equal_rows(outputs).tolist() == [False, False, False, True]
    assert file.largest_difference(outputs) == inf


@pytest.mark.parametrize("bound", [BORDERLINE, 0.5])
def test_expected_predictions_are_those_of_the_reference_evaluation(artifact, bound, monkeypatch):
    network = exported_network(artifact)
    data = network.task.split("validation")
    file = outputs_of_file(network, Batch.of(network.task.inputs(data.examples)), NEVER)
    evaluated = []

    def again(model, weights, examples):
        evaluated.append(len(examples))
        return predict_float64(model, weights, examples)

    monkeypatch.setattr(comparison, "BORDERLINE", bound)
    monkeypatch.setattr(comparison, "predict_float64", again)
    model = network.model.with_spec(network.spec)
    expected = predict(model, network.operands, data.examples)
    assert not len(differences(network, data, file.exact, file).different)
    shifted = file.exact.roll(1, dims=1)  # every prediction is the next class
    indices = np.concatenate(differences(network, data, shifted, file)[:2])
    assert len(indices) == len(expected)
    assert sum(evaluated) < 2 * len(data)  # only those that float32 does not decide
    assert bool(evaluated) == (bound > BORDERLINE)
