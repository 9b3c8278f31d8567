"""Evaluation and recipes on several processes: the same counts and files as on one."""

from __future__ import annotations

import pytest

import workbench as wb
from tests.raises import raises
from workbench import formatting

pytestmark = pytest.mark.slow


def test_any_number_of_ranks_counts_the_same():
    model = wb.model("fashion/mlp-32")
    scores = model.card["accuracy"]["validation"]
    for ranks in (1, 3):
        result = wb.evaluate_in_parallel(model, "validation", ranks)
        assert (result.correct, result.examples) == (scores["correct"], scores["examples"])
        assert len(result.parts) == ranks
        assert result.plot().figure["data"]


def test_recipes_give_the_files_of_one_process():
    model = wb.model("fashion/mlp-32")
    recipes = [wb.Recipe(quantize=wb.Quantize(bits=bits)) for bits in (8, 4, 2)]
    received = []
    result = wb.measure_in_parallel(model, recipes, 2, on_result=received.append)
    assert sorted(each.bytes for each in received) == sorted(e.bytes for e in result.results)
    for recipe, each in zip(recipes, result.results, strict=True):
        artifact = wb.compress(model, recipe)
        assert (each.digest, each.bytes) == (artifact.digest, len(artifact))
    report = wb.measure(model, recipes[1], split="test", timed=False)
    assert result.results[1].accuracy == report.score.value
    assert list(result.to_frame()["process"]) == [0, 1, 0]
    figure = result.plot().figure
    assert figure["data"][0]["hovertext"][1].endswith(formatting.percent(report.score.value))
    assert all(text.endswith("%") for text in figure["layout"]["yaxis"]["ticktext"])


def test_the_model_of_a_user_is_sent(gated_and_trained):
    gated = gated_and_trained  # its weights were written to before it was registered
    report = wb.measure(gated, recipe := wb.Recipe(wb.Quantize(4)), split="test", timed=False)
    (result,) = wb.measure_in_parallel(gated, [recipe]).results
    assert (result.digest, result.accuracy) == (
        wb.compress(gated, recipe).digest,
        report.score.value,
    )
    correct = {wb.evaluate_in_parallel(gated, "test", ranks).correct for ranks in (1, 2)}
    assert correct == {round(gated.metric_value("test") * 16)}


def test_refused():
    with raises("parallel.metric_does_not_add"):
        wb.evaluate_in_parallel(wb.model("reviews-lm/gpt"))
    with raises("parallel.out_of_range"):
        wb.evaluate_in_parallel(wb.model("fashion/mlp-32"), ranks=9)
    with raises("parallel.no_recipes"):
        wb.measure_in_parallel(wb.model("fashion/mlp-32"), [])
