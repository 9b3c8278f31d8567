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
        true, said = labels.count(k), predicted.count(k)
        if true == 0:
            continue
        recall = hits / true
        precision = hits / said if said else 0.0
        recalls.append(recall)
        f1s.append(2 * precision * recall / (precision + recall) if hits else 0.0)
    return sum(recalls) / len(recalls), sum(f1s) / len(f1s)


def tally(labels, predicted, classes=3, total=None):
    return PredictionCounts.of(
        np.array(labels, np.uint8), np.array(predicted), classes, total or len(labels)
    )


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_figures_follow_their_definitions(case):
    labels, predicted = case
    found = tally(labels, predicted)
    assert (found.recall, found.f1) == pytest.approx(by_hand(labels, predicted, 3))
    right = sum(t == p for t, p in zip(labels, predicted, strict=True))
    assert (found.correct, found.examples) == (right, len(labels))
    assert found.accuracy == right / len(labels)


def test_the_confusion_is_true_by_predicted():
    found = tally([0, 0, 1], [0, 2, 1])
    assert found.confusion.tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]


def test_labels_in_a_byte_do_not_overflow():
    found = tally([200], [199], classes=201)
    assert found.confusion[200, 199] == 1


def test_bounds_are_shares_of_the_whole_and_close_when_exact():
    part = tally([0, 1, 2, 0], [0, 1, 2, 1], total=100)
    low, high = part.bounds
    assert not part.exact
    assert low < part.accuracy < high
    assert low * 100 == pytest.approx(round(low * 100))
    whole = tally([0, 1, 2, 0], [0, 1, 2, 1])
    assert whole.exact
    assert whole.bounds == (0.75, 0.75)
    assert whole.population[0] < 0.75 < whole.population[1]
