"""Memory grows with the number of classes, not with its square; figures stay scikit-learn's."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score
from torch import nn

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.evaluation.counts import PredictionCounts
from workbench.evaluation.scores import MAX_CONFUSION_CLASSES, score_from_counts
from workbench.zoo import registry

WORD = 8  # bytes


def drawn(classes, examples=2_000):
    """Labels and predictions, half of them right."""
    rng = np.random.default_rng(classes)
    labels = rng.integers(0, classes, examples)
    other = rng.integers(0, classes, examples)
    return labels, np.where(rng.random(examples) < 0.5, labels, other)


@pytest.mark.parametrize("classes", [2, 10, MAX_CONFUSION_CLASSES, 1_000, 30_000, 300_000])
def test_figures_are_those_of_scikit_learn_and_memory_is_small(classes):
    labels, predicted = drawn(classes)
    tracemalloc.start()
    score = score_from_counts(PredictionCounts.of(labels, predicted, classes, len(labels)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    small = 16 * WORD * MAX_CONFUSION_CLASSES**2  # a matrix, and its numbers as Python's
    assert peak < small + 20 * WORD * classes
    seen = {"labels": np.unique(labels), "average": "macro", "zero_division": 0}
    assert score.figures["accuracy"] == accuracy_score(labels, predicted)
    assert score.figures["recall"] == pytest.approx(recall_score(labels, predicted, **seen))
    assert score.figures["f1"] == pytest.approx(f1_score(labels, predicted, **seen))


@pytest.mark.parametrize("classes", [3, MAX_CONFUSION_CLASSES, MAX_CONFUSION_CLASSES + 1])
def test_reports_hold_the_matrix_of_few_classes(classes):
    labels, predicted = drawn(classes)
    found = PredictionCounts.of(labels, predicted, classes, len(labels))
    expected = confusion_matrix(labels, predicted, labels=np.arange(classes))
    np.testing.assert_array_equal(found.confusion, expected)
    held = expected.tolist() if classes <= MAX_CONFUSION_CLASSES else []
    assert [list(row) for row in score_from_counts(found).confusion] == held


@pytest.mark.parametrize("classes", [3, 300, 30_000])
def test_pairs_count_what_occurs(classes):
    labels, predicted = drawn(classes, 500)
    pairs = PredictionCounts.of(labels, predicted, classes, 500).pairs.tolist()
    expected = {}
    for pair in zip(labels.tolist(), predicted.tolist(), strict=True):
        expected[pair] = expected.get(pair, 0) + 1
    assert pairs == [[*pair, count] for pair, count in sorted(expected.items())]


def test_a_matrix_that_does_not_fit_is_one_sentence():
    found = PredictionCounts.of(*drawn(30_000), 30_000, 2_000)
    with pytest.raises(WorkbenchError, match=r"30,000 classes does not fit into memory: use pairs"):
        _ = found.confusion


def test_recalls_of_classes_without_an_example_are_not_numbers():
    found = PredictionCounts.of(np.array([0, 0, 2]), np.array([0, 1, 2]), 4, 3)
    np.testing.assert_array_equal(found.recalls, [0.5, np.nan, 1.0, np.nan])


def test_a_model_of_many_classes_is_measured_in_little_memory(monkeypatch):
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())
    recipe = wb.Recipe(quantize=wb.Quantize(8))
    inputs = torch.arange(60) % 50

    def measured(classes):
        torch.manual_seed(0)
        targets = torch.randint(0, classes, (60,))
        data = dict.fromkeys(("train", "validation", "test"), (inputs, targets))
        module = nn.Sequential(nn.Embedding(50, 2), nn.Linear(2, classes))
        model = wb.from_module(module, **data, name="many")
        report = wb.measure(model, recipe, timed=False)
        return model, targets, report, wb.compare(model, recipe)

    measured(3)  # loads all that is needed
    classes = 30_000
    tracemalloc.start()
    model, targets, report, changed = measured(classes)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * WORD * classes  # the square would be 300 times as much
    with torch.no_grad():
        alone = wb.to_module(wb.compress(model, recipe))(inputs).argmax(1)
    assert report.accuracy == accuracy_score(targets, alone)
    assert report.confusion == ()
    assert changed.after.tolist() == alone.tolist()
    assert len(changed.recall[1]) == classes
