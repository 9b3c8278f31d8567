"""Borderline predictions are named, and their examples are drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import workbench as wb
from tests.raises import raises
from workbench.deploy import moved, outputs as file_outputs
from workbench.deploy.confirm import Reference
from workbench.deploy.records import agreement_from_record, agreement_record
from workbench.plots import agreement as pictures, flips

FACTS = {"provider": "CPU", "version": "1"}


def agreement(name, change):
    """Return how outputs agree that `change` made of a file's own."""
    artifact = wb.compress(wb.model(name), wb.Recipe())
    package = wb.export(artifact, "torch")
    reference = Reference(artifact, "validation")
    outputs = reference._outputs.exact.clone()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_outputs, "BORDERLINE", change(outputs))
        return reference.compare(package, outputs, FACTS)


def other_best(rows):
    """Let the second best output of the first two rows win, and return a lead above the change."""
    best = rows[:2].topk(2).values
    places = rows[:2].topk(2).indices[:, 1:]
    rows[:2] = rows[:2].scatter(1, places, best[:, :1] + 0.01)
    return float((best[:, 0] - best[:, 1]).max()) + 0.01


@pytest.fixture(scope="module")
def borderline():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moved, "MOVED", 0.5)  # as if float32 had a few bits
        return agreement("vowels/cnn", other_best)


def test_borderline_predictions_are_named(borderline):
    assert borderline.confirmed
    assert borderline.borderline.tolist() == [0, 1]
    assert (borderline.classes[:, 0] != borderline.classes[:, 1]).all()
    names = wb.model("vowels/cnn").task.classes
    rows = borderline.rows()
    assert [row["file"] for row in rows] == [names[n] for n in borderline.classes[:, 0]]
    html = borderline._repr_mimebundle_()["text/html"]
    assert html.count("<li>") == 2
    assert names[borderline.classes[0, 1]] in html
    assert list(borderline.to_frame()["example"]) == [0, 1]
    record = agreement_record(borderline)
    again = agreement_from_record(record, borderline.metric)
    assert np.array_equal(again.classes, borderline.classes)


def test_their_examples_are_drawn(borderline):
    figure = pictures.draw(borderline)
    notes = [note["text"] for note in figure["layout"]["annotations"]]
    assert len(notes) == 2
    assert all("→" in note for note in notes)
    assert "2" in flips.summary(borderline.comparison(), "frames", "flipped")


def test_positions_of_a_text_are_named_and_not_drawn(borderline):
    several = replace(borderline, predictions=2 * borderline.predictions)
    assert [(row["example"], row["position"]) for row in several.rows()] == [(0, 0), (0, 1)]
    assert "position" in several._repr_mimebundle_()["text/html"]
    with raises("deploy.no_picture"):
        several.plot()


def test_a_prediction_that_is_not_borderline_is_refused():
    def certain(rows):
        other_best(rows)
        return 0.0

    result = agreement("vowels/cnn", certain)
    assert not result.confirmed
    assert len(result.different) == 2
    assert torch.isfinite(torch.tensor(result.largest_difference))
