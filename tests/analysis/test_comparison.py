"""What changed: every prediction is the judge's, and the counts are those of the report."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from workbench.analysis.comparison import Comparison
from workbench.errors import ArtifactError, Cancelled, RecipeError
from workbench.evaluation.reference import predict

HARSH = wb.Recipe.from_json('{"prune": {"sparsity": 0.85}, "quantize": {"bits": 3}}')


@pytest.fixture
def found(small):
    return wb.compare(small, HARSH)


def of(labels, before, after):
    rows = (np.array(row, np.int64) for row in (labels, before, after))
    return Comparison("drawn", "validation", ("a", "b", "c", "d"), *rows)


@pytest.mark.parametrize("name", ["fashion/lenet-300-100", "fashion/mlp-32"])
def test_predictions_are_the_judges_own_of_the_decoded_file(name):
    model = wb.model(name)
    found = wb.compare(model, HARSH)
    images = model.task.split("validation").examples
    decoded = wb.compress(model, HARSH).weights()
    np.testing.assert_array_equal(found.before, predict(model, model.weights(), images))
    np.testing.assert_array_equal(found.after, predict(model, decoded, images))


def test_its_counts_are_the_reports(small, found, store):
    before, after = found.prediction_counts
    for recipe, tally in ((wb.Recipe(), before), (HARSH, after)):
        report = wb.measure(small, recipe, timed=False, store=store)
        assert tuple(map(tuple, tally.confusion.tolist())) == report.confusion
        assert tally.accuracy == report.accuracy
    assert np.mean(found.recall[1]) == pytest.approx(report.recall)
    lost, won = len(found.lost), len(found.won)
    assert lost > won > 0
    assert before.correct - after.correct == lost - won


def test_a_file_says_the_same_as_its_recipe(small, found, tmp_path):
    path = wb.compress(small, HARSH).save(tmp_path / "small.safetensors")
    again = wb.compare(small, wb.load(path))
    np.testing.assert_array_equal(again.after, found.after)


def test_the_test_split_is_another_one(small):
    found = wb.compare(small, HARSH, split="test")
    assert len(found) == 10_000
    assert (
        found.prediction_counts[1].accuracy
        == wb.measure(small, HARSH, split="test", timed=False).accuracy
    )


def test_an_untouched_file_changes_nothing(small):
    found = wb.compare(small, wb.Recipe())
    assert not found.flipped.size
    assert found.rows() == []


def test_every_change_is_of_one_kind():
    found = of([0, 0, 1, 1, 2, 2], [0, 0, 0, 0, 1, 1], [0, 1, 1, 0, 3, 2])
    assert found.lost.tolist() == [1]
    assert found.won.tolist() == [2, 5]
    assert found.moved.tolist() == [4]
    assert found.flipped.tolist() == [1, 2, 4, 5]
    assert found.rows()[0] == {"example": 1, "label": "a", "before": "a", "after": "b"}
    assert found.recall[0][:3] == (1.0, 0.0, 0.0)
    assert found.recall[1][:3] == (0.5, 0.5, 0.5)
    assert np.isnan(found.recall[0][3])  # no example is a d


def test_predictions_cannot_be_written_to(found):
    for rows in (found.labels, found.before, found.after):
        with pytest.raises(ValueError, match="read-only"):
            rows[0] = 0


def test_progress_ends_at_the_whole_and_a_cancel_is_heard(small):
    told = []
    wb.compare(small, HARSH, on_progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1
    with pytest.raises(Cancelled):
        wb.compare(small, HARSH, cancelled=lambda: True)


@pytest.mark.parametrize(
    ("what", "error"),
    [
        (None, RecipeError),
        ("small.safetensors", RecipeError),
        (wb.Recipe(prune=wb.Prune(scope="layer", layers={"nowhere": 0.5})), RecipeError),
    ],
)
def test_what_is_no_recipe_is_refused(small, what, error):
    with pytest.raises(error):
        wb.compare(small, what)


def test_a_file_of_another_model_is_refused(small, lenet5):
    with pytest.raises(ArtifactError, match="give that model"):
        wb.compare(lenet5, wb.compress(small, HARSH))
