from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

import workbench as wb
from workbench.evaluation.batch_size import MAX_BATCH
from workbench.evaluation.reference import predict

HARSH = wb.Recipe.from_json('{"prune": {"sparsity": 0.9}, "quantize": {"bits": 2}}')
GENTLE = wb.Recipe.from_json('{"quantize": {"bits": 8, "scheme": "affine"}}')
# Threads, batch size, and how many examples: what is judged one by one is a part of the split.
VARIANTS = ((2, 250, 5000), (1, 5000, 5000), (1, 7, 700), (2, 7, 140), (1, 1, 100), (2, 1, 100))
SHARE = dict.fromkeys(wb.models("fashion"), 1) | {"fashion/lenet5": 2, "fashion/resnet": 5}


def flat(model, biases):
    """Weights whose outputs are `biases` whatever the image."""
    weights = {name: torch.zeros_like(w) for name, w in model.weights().items()}
    last = list(weights)[-1]
    assert weights[last].shape == (10,)
    weights[last] = torch.tensor(biases, dtype=torch.float32)
    return weights


@pytest.mark.parametrize("recipe", [HARSH, GENTLE], ids=["harsh", "gentle"])
@pytest.mark.parametrize("name", wb.models("fashion"))
def test_predictions_do_not_depend_on_batch_and_threads(name, recipe, threads):
    model = wb.model(name)
    weights = wb.compress(model, recipe).weights()
    images = model.task.split("validation").examples
    expected = predict(model, weights, images)
    for number, batch, most in VARIANTS:
        threads(number)
        examples = most // SHARE[name]
        found = predict(model, weights, images[:examples], batch)
        np.testing.assert_array_equal(found, expected[:examples])


@pytest.mark.parametrize("count", [0, 1, 3, MAX_BATCH - 1, MAX_BATCH, MAX_BATCH + 1])
def test_a_part_of_a_batch_is_judged_as_in_a_whole_one(small, count):
    images = small.task.split("validation").examples
    found = predict(small, small.weights(), images[:count])
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, predict(small, small.weights(), images[:500])[:count])


@pytest.mark.parametrize(
    ("biases", "winner"),
    [
        ([0.0] * 10, 0),
        ([1.0] * 10, 0),
        ([0, 0, 0, 5, 0, 0, 0, 5, 0, 0], 3),
        ([0, 0, 0, 0, 0, 0, 0, 0, -1, -1], 0),
        ([-2, -1, -2, -2, -2, -2, -2, -2, -2, -1], 1),
        # Nearer than the float32 verdict is trusted with, and told apart in float64.
        ([1, 1, 1, 1, 1, 1 + 1e-6, 1, 1, 1, 1], 5),
        ([0, 0, 0, 0, 0, 0, 0, 1e-8, 0, 0], 7),
        # Nearer than float64 rounding could make them: a tie.
        ([0, 0, 0, 0, 0, 0, 0, 1e-10, 0, 0], 0),
        ([1e6, 1e6, 2e6, 0, 0, 2e6, 0, 0, 0, 0], 2),
    ],
)
def test_ties_go_to_the_lowest_class(small, lenet5, biases, winner):
    for model, batch in product((small, lenet5), (1, 7, 250)):
        images = model.task.split("validation").examples[:20]
        assert set(predict(model, flat(model, biases), images, batch)) == {winner}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_outputs_that_are_no_numbers_are_judged_alike_everywhere(small, value):
    images = small.task.split("validation").examples[:300]
    for place in (0, 4, 9):
        weights = {name: w.clone() for name, w in small.weights().items()}
        weights["fc3.bias"][place] = value
        answers = {predict(small, weights, images, batch).tobytes() for batch in (1, 7, 250)}
        assert len(answers) == 1


def test_a_missing_weight_is_never_replaced(small):
    weights = dict(small.weights())
    del weights["fc2.bias"]
    with pytest.raises(KeyError, match=r"fc2\.bias"):
        predict(small, weights, small.task.split("validation").examples[:1])


@pytest.mark.parametrize("name", wb.models("fashion"))
def test_the_weights_are_left_as_they_were(name, fingerprint):
    model = wb.model(name)
    weights = wb.compress(model, GENTLE).weights()
    before = fingerprint(weights), fingerprint(model.weights())
    predict(model, weights, model.task.split("validation").examples[:500])
    assert (fingerprint(weights), fingerprint(model.weights())) == before
