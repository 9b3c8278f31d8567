"""However many cores the machine has: the same file and the same counts."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from workbench.analysis.one_layer import LayerEvaluator
from workbench.evaluation import fast_path as sieves
from workbench.evaluation.progress import iter_counts, reference_counts
from workbench.evaluation.reference import predict

LAYER = "fc2.weight"
RECIPE = wb.Recipe(
    prune=wb.Prune(0, scope="layer", layers={LAYER: 0.8}),
    quantize=wb.Quantize(3, layers={"fc1.weight": 32, "fc3.weight": 32}),
)
WAYS = {
    "reference": reference_counts,
    "estimates": lambda model, weights, split: [*iter_counts(model, weights, split)][-1],
    "one layer": lambda model, weights, split: LayerEvaluator(model, LAYER).evaluate(weights),
}


def test_a_file_has_the_same_bytes(lenet5, threads):
    recipe = wb.Recipe(prune=wb.Prune(0.8), quantize=wb.Quantize(4, range="mse"))
    files = []
    for count in (1, 2, 3):
        threads(count)
        files.append(wb.compress(lenet5, recipe).to_bytes())
    assert len(set(files)) == 1


@pytest.mark.parametrize("bfloat16", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_counts_are_those_of_one_thread(way, bfloat16, small, threads, monkeypatch):
    monkeypatch.setattr(sieves.FastPath, "_use_bfloat16", lambda sieve, inputs: bfloat16)
    weights = wb.compress(small, RECIPE).weights()
    split = small.task.split("validation")
    classes = predict(small, weights, split.examples)
    expected = np.zeros((10, 10), np.int64)
    np.add.at(expected, (split.labels, classes), 1)
    for count in (2, 3):
        threads(count)
        np.testing.assert_array_equal(WAYS[way](small, weights, split).confusion, expected)
