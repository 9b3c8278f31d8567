"""Files and counts do not depend on the number of threads."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from workbench.analysis.one_layer import LayerEvaluator
from workbench.evaluation.fast_path import FastPath
from workbench.evaluation.progress import iter_counts, reference_counts
from workbench.evaluation.reference import predict

LAYER = "fc2.weight"
RECIPE = wb.Recipe(
    prune=wb.Prune(0, scope="named", layers={LAYER: 0.8}),
    quantize=wb.Quantize(3, layers={"fc1.weight": 32, "fc3.weight": 32}),
)
METHODS = {
    "reference": reference_counts,
    "estimates": lambda model, weights, split: [*iter_counts(model, weights, split)][-1],
    "one layer": lambda model, weights, split: LayerEvaluator(model, LAYER).evaluate(weights),
}


def test_file_bytes_do_not_depend_on_threads(lenet5, threads):
    recipe = wb.Recipe(prune=wb.Prune(0.8), quantize=wb.Quantize(4, range="mse"))
    files = []
    for count in (1, 2, 3):
        threads(count)
        files.append(wb.compress(lenet5, recipe).to_bytes())
    assert len(set(files)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("bfloat16", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_counts_do_not_depend_on_threads(method, bfloat16, small, threads, monkeypatch):
    monkeypatch.setattr(FastPath, "_use_bfloat16", lambda fast_path, inputs: bfloat16)
    weights = wb.compress(small, RECIPE).weights()
    split = small.task.split("validation")
    classes = predict(small, weights, split.examples)
    expected = np.zeros((10, 10), np.int64)
    np.add.at(expected, (split.labels, classes), 1)
    for count in (2, 3):
        threads(count)
        np.testing.assert_array_equal(METHODS[method](small, weights, split).confusion, expected)
