"""The better end of an estimate's interval, compared with intervals of SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from workbench.domain.metric import BITS_PER_CHARACTER, PERPLEXITY, R2, RMSE, metric_named
from workbench.evaluation.report import Score
from workbench.study.certainty import best_possible

VALUES = np.array([0.3, 0.45, 0.7, 0.36])


def interval(level):
    """Return Student's interval of the mean of `VALUES`."""
    return stats.t.interval(level, len(VALUES) - 1, VALUES.mean(), stats.sem(VALUES))


@pytest.mark.parametrize(
    ("metric", "value_of"),
    [
        (BITS_PER_CHARACTER, lambda mean: mean),
        (PERPLEXITY, np.exp),
        (RMSE, np.sqrt),
        (R2, lambda mean: 1 - mean),
    ],
    ids=["bits per character", "perplexity", "RMSE", "R2"],
)
def test_the_interval_of_few_examples_is_students(metric, value_of):
    low, high = sorted(float(value_of(bound)) for bound in interval(0.95))
    score = Score(metric.name, float(value_of(VALUES.mean())), low, high, len(VALUES), 90, {})
    assert interval(0.98)[0] > 0
    expected = float(value_of(interval(0.98)[0]))
    assert best_possible(score, metric, 0.98) == pytest.approx(expected, rel=1e-6)


def test_a_metric_without_an_interval_excludes_nothing():
    score = Score("mean error", 0.5, 0.5, 0.5, 4, 90, {})
    assert best_possible(score, metric_named("mean error"), 0.98) == np.inf
