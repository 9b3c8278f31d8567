"""A package whose predictions are others says why, in one sentence."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from workbench.deploy.agreement import Agreement
from workbench.domain.metric import ACCURACY
from workbench.evaluation.report import Score

SCORE = Score("accuracy", 0.9, 0.9, 0.9, 10, 10, {"accuracy": 0.9})
NONE = np.empty(0, np.int64)


def agreement(different=(3,), **facts):
    pairs = np.empty((0, 2), np.int64)
    numbers = (0, 0, 0.0431, ACCURACY, SCORE, SCORE)
    others = np.array(different, np.int64)
    return Agreement(
        "fashion/lenet5", "Runtime", "validation", 10, 9, NONE, others, pairs, *numbers, facts
    )


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        ({"target_precision": "bfloat16"}, "computes in bfloat16"),
        ({"target_precision": "int8_inputs"}, "rounds the inputs of layers to 8 bits"),
        ({"target_precision": "float32"}, "Rounding in another order does not explain it"),
        ({"target_precision": "float32", "exact_sums": False}, "cuts off large sums"),
        ({}, "Rounding in another order does not explain it"),
    ],
)
def test_other_predictions_have_a_cause(facts, cause):
    summary = agreement(**facts).summary
    assert summary.startswith("1 of 10 predictions in Runtime differs")
    assert cause in summary
    assert "0.0431" in summary
    assert agreement((), **facts).cause == ""


@pytest.mark.slow
def test_a_package_says_which_precision_was_requested():
    artifact = wb.compress(wb.model("fashion/mlp-32"), wb.Recipe(wb.Quantize(4)))
    result = wb.confirm(wb.export(artifact, wb.Target("torch")))
    assert result.facts["target_precision"] == "float32"
    assert result.cause == ""
