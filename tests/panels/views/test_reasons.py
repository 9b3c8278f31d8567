"""The most useful reason comes first, and every number without a request is explained."""

from __future__ import annotations

from dataclasses import replace

import pytest

import workbench as wb
from workbench.cache.results import ResultCache
from workbench.domain.metric import ACCURACY
from workbench.evaluation.reason import Reason
from workbench.panels.views import card, reasons
from workbench.plots import points
from workbench.zoo.students import students

NAME = "fashion/lenet-300-100"


@pytest.fixture(scope="module")
def measured():
    store = ResultCache()
    return lambda recipe: wb.measure(wb.model(NAME), recipe, timed=False, store=store)


def sentences(report):
    return reasons.sentences(report, points.original(wb.model(NAME)), None, ACCURACY)


def facts(report):
    original = points.original(wb.model(NAME))
    texts = card.numbers(report, original, untouched=False, stale=False)
    return {fact["label"]: fact for fact in texts["facts"]}


def test_a_large_loss_comes_before_speed_and_bytes(measured):
    first, second, *others = sentences(measured(wb.Recipe(wb.Prune(0.95), wb.Quantize(bits=3))))
    assert "is a large loss" in first
    assert second.startswith("Smaller, but not faster here")
    assert others


@pytest.mark.parametrize(
    ("recipe", "why"),
    [
        (wb.Recipe(wb.Prune(0.5)), "zeros are still multiplied"),
        (wb.Recipe(quantize=wb.Quantize(bits=8)), "the weights are decoded"),
    ],
)
def test_a_student_is_compared_with_the_model_that_it_replaces(measured, recipe, why):
    report, model = measured(recipe), points.original(wb.model(NAME))
    macs = wb.model(NAME).card["macs"]

    def first(replaced):
        return reasons.sentences(report, model, None, ACCURACY, replaced_macs=replaced)[0]

    assert first(4 * macs).startswith("The student needs 4.00\u202f× fewer multiply-accumulates")
    assert why in first(4 * macs)
    assert f"{macs:,} per example, as in the uncompressed student" in first(4 * macs)
    assert first(macs // 4).startswith("The student needs 4.00\u202f× as many multiply-accumulates")
    assert "as before" in first(None)


def test_a_student_is_named_where_its_file_is_longer_than_that_of_the_student(measured):
    report = measured(wb.Recipe(wb.Prune(0.5)))
    longer = Reason("not_smaller", "", {"more": 117, "now": 9, "before": 9, "header": 1})
    report = replace(report, size=replace(report.size, reasons=(longer,)))
    student = next(student for student in students() if student.teacher)
    for model, name in ((NAME, "the original"), (student.name, f"the {student.short_title}")):
        assert f"117\u202fbytes longer than {name}:" in sentences(replace(report, model=model))[0]


def test_a_broken_network_comes_first(measured):
    report = measured(wb.Recipe(wb.Prune(0.5)))
    emptied = Reason("emptied", "fc1.weight")
    container = Reason("container", "", {"bytes": 1, "file": 2})
    size = replace(
        report.size,
        reasons=(*report.size.reasons, container, emptied),
    )
    texts = sentences(replace(report, size=size))
    assert texts[0].startswith("All weights of fc1.weight are pruned")
    assert texts[1].startswith("Smaller, but not faster here")
    assert texts[-1] == container.text


def test_a_trained_file_is_not_advised_to_be_trained(measured):
    report = measured(wb.Recipe(wb.Prune(0.95), wb.Quantize(bits=3)))
    trained = replace(report, recipe=replace(report.recipe, train=wb.Train(1)))
    assert any(text.endswith("or fine-tune the compressed model.") for text in sentences(report))
    assert any(text.endswith("is a large loss: compress less.") for text in sentences(trained))


def test_a_small_loss_is_no_reason(measured):
    assert not any("loss" in text for text in sentences(measured(wb.Recipe(wb.Prune(0.2)))))


def test_without_a_report_there_is_no_reason():
    assert sentences(None) == []


@pytest.mark.parametrize(("count", "label"), [(0, "0 more"), (1, "0 more"), (4, "3 more")])
def test_the_button_counts_the_other_reasons(count, label):
    assert reasons.more(count) == label


def test_zeros_without_a_request_are_explained(measured):
    zeros = facts(measured(wb.Recipe(quantize=wb.Quantize(bits=4))))["zeros"]
    assert zeros["value"].endswith("by rounding")
    assert "No pruning is requested" in zeros["help"]
    assert "requested sparsity" not in facts(measured(wb.Recipe(quantize=wb.Quantize(bits=4))))


def test_requested_and_achieved_sparsity_are_both_shown(measured):
    shown = facts(measured(wb.Recipe(wb.Prune(0.5), wb.Quantize(bits=4))))
    assert shown["requested sparsity"]["value"] == "50.0\u202f%"
    assert float(shown["achieved"]["value"].split("\u202f")[0]) > 50
