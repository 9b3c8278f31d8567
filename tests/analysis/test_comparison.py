"""Comparison: predictions equal the reference, and counts those of the report."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from tests.raises import raises
from workbench.analysis.comparison import Comparison
from workbench.cancel import CancelToken
from workbench.errors import Cancelled, RecipeError
from workbench.evaluation.reference import predict

HARSH = wb.Recipe.from_json('{"prune": {"sparsity": 0.85}, "quantize": {"bits": 3}}')


@pytest.fixture
def comparison(small):
    return wb.compare(small, HARSH)


def comparison_of(labels, before, after):
    rows = (np.array(row, np.int64) for row in (labels, before, after))
    return Comparison("random", "validation", ("a", "b", "c", "d"), *rows)


@pytest.mark.parametrize("name", ["fashion/lenet-300-100", "fashion/mlp-32"])
def test_predictions_equal_the_reference(name):
    model = wb.model(name)
    comparison = wb.compare(model, HARSH)
    images = model.task.split("validation").examples
    decoded = wb.compress(model, HARSH).weights()
    np.testing.assert_array_equal(comparison.before, predict(model, model.weights(), images))
    np.testing.assert_array_equal(comparison.after, predict(model, decoded, images))


def test_counts_match_the_report(small, comparison, store):
    before, after = comparison.prediction_counts
    for recipe, counts in ((wb.Recipe(), before), (HARSH, after)):
        report = wb.measure(small, recipe, timed=False, store=store)
        assert tuple(map(tuple, counts.confusion.tolist())) == report.confusion
        assert counts.accuracy == report.accuracy
    assert np.mean(comparison.recall[1]) == pytest.approx(report.recall)
    lost, won = len(comparison.became_wrong), len(comparison.became_right)
    assert lost > won > 0
    assert before.correct - after.correct == lost - won


def test_file_and_recipe_give_the_same_comparison(small, comparison, tmp_path):
    path = wb.compress(small, HARSH).save(tmp_path / "small.safetensors")
    again = wb.compare(small, wb.load(path))
    np.testing.assert_array_equal(again.after, comparison.after)


@pytest.mark.slow
def test_test_split(small):
    comparison = wb.compare(small, HARSH, split="test")
    assert len(comparison) == 10_000
    assert (
        comparison.prediction_counts[1].accuracy
        == wb.measure(small, HARSH, split="test", timed=False).accuracy
    )


def test_uncompressed_file_changes_nothing(small):
    comparison = wb.compare(small, wb.Recipe())
    assert not comparison.flipped.size
    assert comparison.rows() == []


def test_kinds_of_changes_are_disjoint():
    comparison = comparison_of([0, 0, 1, 1, 2, 2], [0, 0, 0, 0, 1, 1], [0, 1, 1, 0, 3, 2])
    assert comparison.became_wrong.tolist() == [1]
    assert comparison.became_right.tolist() == [2, 5]
    assert comparison.stayed_wrong.tolist() == [4]
    assert comparison.flipped.tolist() == [1, 2, 4, 5]
    assert comparison.rows()[0] == {"example": 1, "label": "a", "before": "a", "after": "b"}
    assert comparison.recall[0][:3] == (1.0, 0.0, 0.0)
    assert comparison.recall[1][:3] == (0.5, 0.5, 0.5)
    assert np.isnan(comparison.recall[0][3])  # class d has no examples


def test_predictions_are_read_only(comparison):
    for rows in (comparison.labels, comparison.before, comparison.after):
        with pytest.raises(ValueError, match="read-only"):
            rows[0] = 0


def test_progress_and_cancel(small):
    fractions = []
    wb.compare(small, HARSH, cancel=CancelToken(on_progress=fractions.append))
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    with pytest.raises(Cancelled):
        wb.compare(small, HARSH, cancel=CancelToken(lambda: True))


@pytest.mark.parametrize(
    ("compressed", "error"),
    [
        (None, RecipeError),
        ("small.safetensors", RecipeError),
        (wb.Recipe(prune=wb.Prune(scope="named", layers={"nowhere": 0.5})), RecipeError),
    ],
)
def test_invalid_recipe_is_an_error(small, compressed, error):
    with pytest.raises(error):
        wb.compare(small, compressed)


def test_file_of_another_model_is_an_error(small, lenet5):
    with raises("artifact.other_model", small.name, lenet5.name):
        wb.compare(lenet5, wb.compress(small, HARSH))


def test_a_table_without_rows_has_the_columns_of_one_with_rows():
    changed = comparison_of([0, 1], [0, 1], [0, 2]).to_frame()
    same = comparison_of([0, 1], [0, 1], [0, 1]).to_frame()
    assert list(same) == list(changed)
    assert (len(same["example"]), len(changed["example"])) == (0, 1)
