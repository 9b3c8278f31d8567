"""Counts of predictions: metrics by their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.evaluation.counts import PredictionCounts

CASES = {
    "all right": ([0, 1, 2], [0, 1, 2]),
    "all wrong": ([0, 1, 2], [1, 2, 0]),
    "one class absent": ([0, 0, 1, 1], [0, 1, 1, 1]),
    "predicted though absent": ([0, 0, 1, 1], [2, 0, 1, 2]),
    "never predicted": ([0, 1, 2, 2], [0, 0, 2, 2]),
    "one example": ([2], [0]),
    "lopsided": ([0] * 90 + [1] * 9 + [2], [0] * 85 + [1] * 10 + [2] * 5),
}


def by_hand(labels, predicted, classes):
    """Recall and F1 from their definitions, over the classes that have examples."""
    recalls, f1s = [], []
    for k in range(classes):
        hits = sum(t == k == p for t, p in zip(labels, predicted, strict=True))
        true, predictions = labels.count(k), predicted.count(k)
        if true == 0:
            continue
        recall = hits / true
        precision = hits / predictions if predictions else 0.0
        recalls.append(recall)
        f1s.append(2 * precision * recall / (precision + recall) if hits else 0.0)
    return sum(recalls) / len(recalls), sum(f1s) / len(f1s)


def counts_of(labels, predicted, classes=3, total=None):
    return PredictionCounts.of(
        np.array(labels, np.uint8), np.array(predicted), classes, total or len(labels)
    )


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_metrics_match_their_definitions(case):
    labels, predicted = case
    found = counts_of(labels, predicted)
    assert (found.recall, found.f1) == pytest.approx(by_hand(labels, predicted, 3))
    correct = sum(t == p for t, p in zip(labels, predicted, strict=True))
    assert (found.correct, found.examples) == (correct, len(labels))
    assert found.accuracy == correct / len(labels)


def test_confusion_is_true_by_predicted_class():
    found = counts_of([0, 0, 1], [0, 2, 1])
    assert found.confusion.tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]


def test_uint8_labels_do_not_overflow():
    found = counts_of([200], [199], classes=201)
    assert found.confusion[200, 199] == 1


def test_bounds_have_zero_width_if_exact():
    partial = counts_of([0, 1, 2, 0], [0, 1, 2, 1], total=100)
    low, high = partial.bounds
    assert not partial.exact
    assert low < partial.accuracy < high
    assert low * 100 == pytest.approx(round(low * 100))
    full = counts_of([0, 1, 2, 0], [0, 1, 2, 1])
    assert full.exact
    assert full.bounds == (0.75, 0.75)
    assert full.population[0] < 0.75 < full.population[1]
