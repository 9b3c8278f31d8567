"""Reference predictions: independent of batch size and threads, with defined ties."""

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
# Threads, batch size, and number of examples: fewer for small batches.
EXAMPLES = 2000
VARIANTS = ((2, 250, 2000), (1, 2000, 2000), (1, 7, 700), (2, 7, 140), (1, 1, 100), (2, 1, 100))
DIVISOR = dict.fromkeys(wb.models("fashion"), 1) | {"fashion/lenet5": 2, "fashion/resnet": 5}


def constant_outputs(model, biases):
    """Return weights with outputs `biases` for every image."""
    weights = {name: torch.zeros_like(w) for name, w in model.weights().items()}
    last = list(weights)[-1]
    assert weights[last].shape == (10,)
    weights[last] = torch.tensor(biases, dtype=torch.float32)
    return weights


@pytest.mark.slow
@pytest.mark.parametrize("recipe", [HARSH, GENTLE], ids=["harsh", "gentle"])
@pytest.mark.parametrize("name", wb.models("fashion"))
def test_predictions_do_not_depend_on_batch_and_threads(name, recipe, threads):
    model = wb.model(name)
    weights = wb.compress(model, recipe).weights()
    images = model.task.split("validation").examples[: EXAMPLES // DIVISOR[name]]
    expected = predict(model, weights, images)
    for number, batch, limit in VARIANTS:
        threads(number)
        examples = limit // DIVISOR[name]
        predictions = predict(model, weights, images[:examples], batch)
        np.testing.assert_array_equal(predictions, expected[:examples])


@pytest.mark.parametrize("count", [0, 1, 3, MAX_BATCH - 1, MAX_BATCH, MAX_BATCH + 1])
def test_partial_batch_predictions_equal_those_of_full_batch(small, count):
    images = small.task.split("validation").examples
    predictions = predict(small, small.weights(), images[:count])
    assert predictions.dtype == np.int64
    np.testing.assert_array_equal(
        predictions, predict(small, small.weights(), images[:500])[:count]
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("biases", "winner"),
    [
        ([0.0] * 10, 0),
        ([1.0] * 10, 0),
        ([0, 0, 0, 5, 0, 0, 0, 5, 0, 0], 3),
        ([0, 0, 0, 0, 0, 0, 0, 0, -1, -1], 0),
        ([-2, -1, -2, -2, -2, -2, -2, -2, -2, -1], 1),
        # Closer than the float32 bound, but distinct in float64.
        ([1, 1, 1, 1, 1, 1 + 1e-6, 1, 1, 1, 1], 5),
        ([0, 0, 0, 0, 0, 0, 0, 1e-8, 0, 0], 7),
        ([0, 0, 0, 0, 0, 0, 0, 1e-30, 0, 0], 7),
        ([1e-20] * 4 + [2e-20] * 6, 4),
        # Closer than the tie tolerance.
        ([0, 0, 0, 0, 0, 0, 0, 1e-10, 0, -1], 0),
        ([1e-20, 1e-20, 1e-20, 1e-20 * (1 + 1e-7), *[0] * 6], 3),
        ([1e6, 1e6, 2e6, 0, 0, 2e6, 0, 0, 0, 0], 2),
    ],
)
def test_ties_resolve_to_the_lowest_class(small, lenet5, biases, winner):
    for model, batch in product((small, lenet5), (1, 7, 250)):
        images = model.task.split("validation").examples[:20]
        assert set(predict(model, constant_outputs(model, biases), images, batch)) == {winner}


@pytest.mark.slow
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_non_finite_outputs_give_the_same_prediction_for_every_batch(small, value):
    images = small.task.split("validation").examples[:300]
    for index in (0, 4, 9):
        weights = {name: w.clone() for name, w in small.weights().items()}
        weights["fc3.bias"][index] = value
        results = {predict(small, weights, images, batch).tobytes() for batch in (1, 7, 250)}
        assert len(results) == 1


def test_missing_weight_is_an_error(small):
    weights = dict(small.weights())
    del weights["fc2.bias"]
    with pytest.raises(KeyError, match=r"fc2\.bias"):
        predict(small, weights, small.task.split("validation").examples[:1])


@pytest.mark.parametrize("name", wb.models("fashion"))
def test_predict_does_not_change_weights(name, fingerprint):
    model = wb.model(name)
    weights = wb.compress(model, GENTLE).weights()
    before = fingerprint(weights), fingerprint(model.weights())
    predict(model, weights, model.task.split("validation").examples[:500])
    assert (fingerprint(weights), fingerprint(model.weights())) == before
