"""Elimination: an evaluation ends as soon as the file cannot be better than its rival."""

from __future__ import annotations

import numpy as np

import workbench as wb
from workbench.study.elimination import count_until

FIRST = np.arange(64)


def test_an_evaluation_ends_at_a_draw_and_not_before():
    model = wb.model("vowels/cnn")
    split, weights = model.task.split("validation"), model.weights()
    counts = count_until(model, weights, split, FIRST, b"", -1).counts
    errors = int((counts.predicted[FIRST] != counts.labels[FIRST]).sum())
    possible = len(split) - errors
    ended = count_until(model, weights, split, FIRST, b"", possible)
    assert (ended.examples, ended.counts) == (len(FIRST), None)
    assert count_until(model, weights, split, FIRST, b"", possible - 1).examples > len(FIRST)
