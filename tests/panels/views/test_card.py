"""The facts of the card agree with each other."""

from __future__ import annotations

import re

import pytest

import workbench as wb
from workbench.panels.views import card
from workbench.plots import points

MODEL = "fashion/mlp-32"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "before"),
    [
        (wb.Recipe(wb.Prune(0.5)), ""),
        (wb.Recipe(wb.Prune(0.5), structure=wb.Structure(removed=0.5)), ", originally 25,450"),
    ],
)
def test_zeros_and_nonzero_parameters_are_shares_of_what_is_in_the_file(recipe, before):
    model = wb.model(MODEL)
    report = wb.measure(model, recipe)
    numbers = card.numbers(
        report,
        points.original(model),
        untouched=False,
        stale=False,
        parameters=model.card["parameters"],
    )
    facts = {fact["label"]: fact["value"] for fact in numbers["facts"]}
    counts = re.fullmatch(rf"([\d,]+) of ([\d,]+){before}", facts["nonzero parameters"])
    nonzero, total = (int(count.replace(",", "")) for count in counts.groups())
    zeros = float(facts["achieved"].split("\u202f")[0]) / 100
    assert 1 - nonzero / total == pytest.approx(zeros, abs=0.01)  # biases are not pruned


@pytest.mark.slow
def test_the_card_names_a_trained_file():
    model, texts = wb.model(MODEL), []
    for recipe in (
        wb.Recipe(wb.Prune(0.5)),
        wb.Recipe(wb.Prune(0.5), train=wb.Train(1, threads=1)),
    ):
        report = wb.measure(model, recipe, timed=False)
        original = points.original(model)
        numbers = card.numbers(report, original, untouched=False, stale=False)
        texts.append(numbers["status"])
    assert texts == ["exact · 5,000 images", "trained · exact · 5,000 images"]
