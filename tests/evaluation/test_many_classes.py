"""Many classes: memory grows linearly, and metrics equal those of scikit-learn."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import torch
from torch import nn

import workbench as wb
from tests.raises import raises
from workbench.evaluation.counts import PredictionCounts
from workbench.evaluation.scores import MAX_CONFUSION_CLASSES, score_from_counts
from workbench.zoo import registry

INT64_BYTES = 8


def random_predictions(classes, examples=2_000):
    """Labels and predictions, half of them correct."""
    rng = np.random.default_rng(classes)
    labels = rng.integers(0, classes, examples)
    other = rng.integers(0, classes, examples)
    return labels, np.where(rng.random(examples) < 0.5, labels, other)


@pytest.mark.parametrize("classes", [2, 10, MAX_CONFUSION_CLASSES, 1_000, 30_000, 300_000])
def test_metrics_match_scikit_learn_in_little_memory(classes):
    from sklearn.metrics import accuracy_score, f1_score, recall_score

    labels, predicted = random_predictions(classes)
    tracemalloc.start()
    score = score_from_counts(PredictionCounts.of(labels, predicted, classes, len(labels)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    base = 16 * INT64_BYTES * MAX_CONFUSION_CLASSES**2  # a matrix, and its values as Python objects
    assert peak < base + 20 * INT64_BYTES * classes
    options = {"labels": np.unique(labels), "average": "macro", "zero_division": 0}
    assert score.figures["accuracy"] == accuracy_score(labels, predicted)
    assert score.figures["recall"] == pytest.approx(recall_score(labels, predicted, **options))
    assert score.figures["f1"] == pytest.approx(f1_score(labels, predicted, **options))


@pytest.mark.parametrize("classes", [3, MAX_CONFUSION_CLASSES, MAX_CONFUSION_CLASSES + 1])
def test_report_has_confusion_matrix_for_few_classes(classes):
    from sklearn.metrics import confusion_matrix

    labels, predicted = random_predictions(classes)
    counts = PredictionCounts.of(labels, predicted, classes, len(labels))
    expected = confusion_matrix(labels, predicted, labels=np.arange(classes))
    np.testing.assert_array_equal(counts.confusion, expected)
    confusion = expected.tolist() if classes <= MAX_CONFUSION_CLASSES else []
    assert [list(row) for row in score_from_counts(counts).confusion] == confusion


@pytest.mark.parametrize("classes", [3, 300, 30_000])
def test_pairs_are_nonzero_counts(classes):
    labels, predicted = random_predictions(classes, 500)
    pairs = PredictionCounts.of(labels, predicted, classes, 500).pairs.tolist()
    expected = {}
    for pair in zip(labels.tolist(), predicted.tolist(), strict=True):
        expected[pair] = expected.get(pair, 0) + 1
    assert pairs == [[*pair, count] for pair, count in sorted(expected.items())]


def test_confusion_matrix_that_does_not_fit_is_an_error():
    counts = PredictionCounts.of(*random_predictions(30_000), 30_000, 2_000)
    with raises("metric.too_many_classes", "30,000"):
        _ = counts.confusion


def test_recall_is_nan_for_classes_without_examples():
    counts = PredictionCounts.of(np.array([0, 0, 2]), np.array([0, 1, 2]), 4, 3)
    np.testing.assert_array_equal(counts.recalls, [0.5, np.nan, 1.0, np.nan])


@pytest.mark.slow
def test_model_with_many_classes_is_measured_in_little_memory(monkeypatch):
    from sklearn.metrics import accuracy_score

    monkeypatch.setattr(registry, "_user_models", registry.UserModels())
    recipe = wb.Recipe(quantize=wb.Quantize(8))
    inputs = torch.arange(60) % 50

    def measure(classes):
        torch.manual_seed(0)
        targets = torch.randint(0, classes, (60,))
        data = dict.fromkeys(("train", "validation", "test"), (inputs, targets))
        module = nn.Sequential(nn.Embedding(50, 2), nn.Linear(2, classes))
        model = wb.from_module(module, **data, name="many")
        report = wb.measure(model, recipe, timed=False)
        return model, targets, report, wb.compare(model, recipe)

    measure(3)  # warm up
    classes = 30_000
    tracemalloc.start()
    model, targets, report, comparison = measure(classes)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * INT64_BYTES * classes  # the square would be 300 times as much
    with torch.no_grad():
        reloaded = wb.to_module(wb.compress(model, recipe))(inputs).argmax(1)
    assert report.accuracy == accuracy_score(targets, reloaded)
    assert report.confusion == ()
    assert comparison.after.tolist() == reloaded.tolist()
    assert len(comparison.recall[1]) == classes
