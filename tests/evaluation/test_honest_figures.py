"""Figures next to a score: guessing, recall by class, new data, and the unit of the target."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.domain import Split, TargetScale, Task
from workbench.domain.metric import ACCURACY, PERPLEXITY, R2
from workbench.domain.sum_metrics import SUM_METRICS, LabelScale
from workbench.evaluation.counts import PredictionCounts
from workbench.evaluation.guessing import beats_majority, beats_mean
from workbench.evaluation.honest_figures import figures_of_score
from workbench.evaluation.report import Score
from workbench.evaluation.scores import score_from_counts


def task(classes=(), metric=ACCURACY, target=None):
    return Task(
        "custom/t", "t", classes, "", "", (), "custom", metric, target=target or TargetScale()
    )


def of_classes(labels, predicted, classes=("no", "yes")):
    labels, predicted = np.array(labels), np.array(predicted)
    score = score_from_counts(PredictionCounts.of(labels, predicted, len(classes), len(labels)))
    split = Split("validation", np.zeros((len(labels), 1)), labels, "")
    return figures_of_score(task(classes), split, score)


def test_the_majority_is_no_achievement():
    labels = [0] * 199 + [1]
    figures = of_classes(labels, [0] * 200)
    assert (figures.value, figures.baseline, figures.guess) == (0.995, 0.995, "no")
    assert not figures.better
    assert "99.5" in figures.sentences[0]
    assert figures.recalls == {"no": 1.0, "yes": 0.0}


def test_a_good_model_is_better_than_guessing():
    labels = [0, 1] * 30
    figures = of_classes(labels, labels)
    assert figures.better
    assert figures.baseline == 0.5
    assert figures.recalls == {"no": 1.0, "yes": 1.0}


def test_a_small_advantage_on_few_examples_is_not_measurable():
    labels = [0] * 16 + [1] * 14
    predicted = [0] * 16 + [1, 1] + [0] * 12
    figures = of_classes(labels, predicted)
    assert figures.value > figures.baseline
    assert not figures.better
    assert "30" in figures.sentences[0]


def test_the_interval_on_new_data_is_given_for_small_sets():
    from scipy.stats import binomtest

    figures = of_classes([0] * 14 + [1] * 13, [0] * 14 + [1] * 13)
    low, high = figures.new_data
    assert (low, high) == pytest.approx(
        tuple(binomtest(27, 27).proportion_ci(method="wilson")), abs=1e-9
    )
    assert "27" in figures.sentences[1]
    assert "88" in figures.sentences[1]
    assert len(of_classes([0, 1] * 600, [0, 1] * 600).sentences) == 1


def test_a_class_without_examples_has_no_recall():
    figures = of_classes([0] * 30 + [1] * 30, [0] * 30 + [1] * 30, ("a", "b", "c"))
    assert figures.recalls["c"] is None


@pytest.mark.parametrize(("wins", "losses"), [(5, 0), (4, 0), (60, 40), (59, 41), (900, 800)])
def test_the_sign_test_is_that_of_scipy(wins, losses):
    from scipy.stats import binomtest

    confusion = [[100, losses], [50, wins]]
    expected = binomtest(wins, wins + losses, alternative="greater").pvalue < 0.05
    assert beats_majority(confusion, 100 + wins, 0) == expected


def test_chance_rarely_beats_the_mean():
    generator = np.random.default_rng(0)
    better = 0
    for _ in range(400):
        labels, predicted = generator.normal(size=(2, 50))
        slope = np.polyfit(predicted, labels, 1)
        better += beats_mean(1 - np.var(labels - np.polyval(slope, predicted)) / np.var(labels), 50)
    assert better < 0.15 * 400  # two-sided correlations, so twice the level
    assert not beats_mean(-0.1, 1000)
    assert beats_mean(1.0, 50)


def test_errors_are_in_the_unit_of_the_target():
    generator = np.random.default_rng(0)
    prices = generator.normal(200_000, 50_000, 400)
    predicted = prices + generator.normal(0, 10_000, 400)
    target = TargetScale("price", float(prices.mean()), float(prices.std()))
    labels = ((prices - target.mean) / target.scale).astype(np.float32)
    outputs = (predicted - target.mean) / target.scale
    errors = outputs - labels
    scale = LabelScale(float(labels.astype(float).var()), target.scale)
    total = np.array([np.square(errors).sum(), np.abs(errors).sum(), 400.0])
    values = SUM_METRICS["numbers"].figures(total, scale)
    assert values["root mean squared error"] == pytest.approx(
        np.sqrt(np.square(predicted - prices).mean()), rel=1e-5
    )
    assert values["mean absolute error"] == pytest.approx(np.abs(predicted - prices).mean(), 1e-5)
    score = Score("r2", values["r2"], 0, 1, 400, 400, values)
    split = Split("validation", np.zeros((400, 1)), labels, "")
    figures = figures_of_score(task(metric=R2, target=target), split, score)
    assert figures.better
    assert figures.baseline == pytest.approx(prices.std(), rel=1e-4)
    assert figures.value == values["root mean squared error"]


def test_sequences_have_no_such_figures():
    assert figures_of_score(task(metric=PERPLEXITY), None, None) is None
