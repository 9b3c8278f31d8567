"""Evaluation from one layer on gives the reference predictions."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from workbench.analysis.one_layer import LayerEvaluator
from workbench.cancel import CancelToken
from workbench.errors import Cancelled
from workbench.evaluation.fast_path import FastPath
from workbench.evaluation.progress import reference_counts
from workbench.recipe import Prune, Quantize, Recipe
from workbench.recipe.off import for_layer

HARSH = (
    ("prune", Recipe(prune=Prune()), 0.8),
    ("quantize", Recipe(quantize=Quantize(range="mse")), 2),
)
MANY = 10
"""Layers from which on each is compressed in one way only, in turn."""
EXAMPLES = {"fashion/lenet-300-100": 3000, "fashion/lenet5": 600, "fashion/resnet": 300}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_counts_equal_the_reference(name, shortened, monkeypatch):
    shortened(EXAMPLES[name])
    model = wb.model(name)
    split = model.task.split("validation")
    for number, layer in enumerate(model.layers):
        chosen = HARSH if len(model.layers) < MANY else HARSH[number % 2 :][:1]
        files = [wb.compress(model, for_layer(part, key, layer, at)) for key, part, at in chosen]
        expected = [reference_counts(model, file.weights(), split).confusion for file in files]
        for bfloat16 in (False, True):
            monkeypatch.setattr(FastPath, "_use_bfloat16", lambda *_, answer=bfloat16: answer)
            evaluator = LayerEvaluator(model, layer)
            for file, confusion in zip(files, expected, strict=True):
                counts = evaluator.evaluate(file.weights())
                message = f"{layer} {bfloat16=}"
                np.testing.assert_array_equal(counts.confusion, confusion, err_msg=message)
                assert counts.exact


def test_changes_in_other_layers_are_an_error(small):
    weights = wb.compress(small, Recipe(quantize=Quantize(4))).weights()
    with pytest.raises(AssertionError):
        LayerEvaluator(small, "fc2.weight").evaluate(weights)


def test_cancel(small):
    with pytest.raises(Cancelled):
        LayerEvaluator(small, "fc2.weight", cancel=CancelToken(lambda: True))
    stop = []
    evaluator = LayerEvaluator(small, "fc2.weight", cancel=CancelToken(lambda: bool(stop)))
    stop.append(True)
    with pytest.raises(Cancelled):
        evaluator.evaluate(small.weights())
