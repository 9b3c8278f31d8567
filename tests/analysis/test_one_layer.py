"""Reusing what comes before a layer changes no prediction."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from workbench.analysis.one_layer import LayerEvaluator
from workbench.errors import Cancelled
from workbench.evaluation import fast_path as sieves
from workbench.evaluation.progress import reference_counts
from workbench.recipe import Prune, Quantize, Recipe
from workbench.recipe.off import for_layer

HARSH = (
    ("prune", Recipe(prune=Prune()), 0.8),
    ("quantize", Recipe(quantize=Quantize(range="mse")), 2),
)
EXAMPLES = {"fashion/lenet-300-100": 5000, "fashion/lenet5": 2000, "fashion/resnet": 900}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_layer_is_counted_as_the_judge_counts(name, shortened, monkeypatch):
    shortened(EXAMPLES[name])
    model = wb.model(name)
    split = model.task.split("validation")
    for layer in model.layers:
        files = [wb.compress(model, for_layer(part, key, layer, at)) for key, part, at in HARSH]
        expected = [reference_counts(model, file.weights(), split).confusion for file in files]
        for bfloat16 in (False, True):
            monkeypatch.setattr(sieves.FastPath, "_use_bfloat16", lambda *_, tries=bfloat16: tries)
            arriving = LayerEvaluator(model, layer)
            for file, confusion in zip(files, expected, strict=True):
                found = arriving.evaluate(file.weights())
                told = f"{layer} {bfloat16=}"
                np.testing.assert_array_equal(found.confusion, confusion, err_msg=told)
                assert found.exact


def test_weights_that_differ_elsewhere_are_refused(small):
    weights = wb.compress(small, Recipe(quantize=Quantize(4))).weights()
    with pytest.raises(AssertionError):
        LayerEvaluator(small, "fc2.weight").evaluate(weights)


def test_it_stops_when_nobody_waits(small):
    with pytest.raises(Cancelled):
        LayerEvaluator(small, "fc2.weight", cancelled=lambda: True)
    gone = []
    arriving = LayerEvaluator(small, "fc2.weight", cancelled=lambda: bool(gone))
    gone.append(True)
    with pytest.raises(Cancelled):
        arriving.evaluate(small.weights())
