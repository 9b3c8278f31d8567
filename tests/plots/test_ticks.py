"""Ticks of axes: the same numbers as in texts, round, and enough of them."""

from __future__ import annotations

import re
from math import log10

import pytest

import workbench as wb
from workbench import formatting
from workbench.plots import ledger, memory, students, ticks
from workbench.plots.palette import LIGHT
from workbench.plots.style import log_axis

TICK = re.compile(r"[\d,.]+\u202f(%|[kMG]?B)")


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, "0 % 20 % 40 % 60 % 80 % 100 %"),
        (0.8, 0.9, "80 % 82 % 84 % 86 % 88 % 90 %"),
        (0.9, 0.904, "90.0 % 90.1 % 90.2 % 90.3 % 90.4 %"),
        (0.003, 0.047, "1 % 2 % 3 % 4 %"),
        (0.5, 0.5, "50 %"),
    ],
)
def test_fractions_have_round_ticks_in_percent(low, high, expected):
    result = ticks.percent_ticks(low, high)
    shown = " ".join(result["ticktext"]).replace("\u202f", " ")
    assert shown == expected
    digits = 1 if "." in shown else 0
    texts = [formatting.percent(value, digits) for value in result["tickvals"]]
    assert result["ticktext"] == texts


@pytest.mark.parametrize(
    ("high", "expected"),
    [
        (90_000, "0 B 20 kB 40 kB 60 kB 80 kB"),
        (1_700_000, "0 B 500 kB 1 MB 1.5 MB"),
        (7, "0 B 2 B 4 B 6 B"),
        (0, "0 B"),
    ],
)
def test_bytes_have_round_ticks(high, expected):
    assert " ".join(ticks.byte_ticks(high)["ticktext"]).replace("\u202f", " ") == expected


def test_an_axis_of_bytes_may_begin_above_zero():
    shown = ticks.byte_ticks(48_000, low=21_300)["ticktext"]
    assert " ".join(shown).replace("\u202f", " ") == "30 kB 40 kB"


def test_numbers_have_round_ticks_on_an_axis_where_less_is_higher():
    result = ticks.number_ticks(-3.6, -0.9, sign=-1)
    assert result["ticktext"] == ["3.5", "3", "2.5", "2", "1.5", "1"]
    assert result["tickvals"] == [-3.5, -3, -2.5, -2, -1.5, -1]


@pytest.mark.parametrize(
    ("last", "expected"),
    [(0, "0"), (1, "0 1"), (3, "0 1 2 3"), (7, "0 2 4 6"), (6_400, "0 2,000 4,000 6,000")],
)
def test_steps_have_round_ticks_that_are_integers(last, expected):
    result = ticks.step_ticks(last)
    assert " ".join(result["ticktext"]) == expected
    assert all(isinstance(value, int) for value in result["tickvals"])


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (18, 380_000, "100 1,000 10,000 100,000"),
        (0.64, 90, "1 2 5 10 20 50"),
        (0.36, 3.2, "0.5 1 2"),
        (4.2, 14.7, "6 8 10 12 14"),
        (25, 57, "30 40 50"),
    ],
)
def test_a_logarithmic_axis_has_enough_round_ticks(low, high, expected):
    axis = log_axis(LIGHT, "", range=[log10(low), log10(high)])
    shown = [
        text
        for value, text in zip(axis["tickvals"], axis["ticktext"], strict=True)
        if low <= value <= high
    ]
    assert " ".join(shown) == expected


def test_counts_are_written_out():
    assert ticks.count_ticks(4)["ticktext"] == ["1", "10", "100", "1,000", "10,000"]


def axes(layout):
    return [value for name, value in layout.items() if re.fullmatch(r"[xy]axis\d?", name)]


@pytest.mark.slow
def test_no_axis_has_percent_or_bytes_that_are_not_formatted():
    model = wb.model("vowels/cnn")
    artifact = wb.compress(model, wb.Recipe(wb.Prune(0.5), wb.Quantize(4)))
    figures = [
        ledger.draw(artifact.ledger, LIGHT),
        memory.draw(wb.memory(model)),
        students.draw("fashion/cnn-10k", "fashion/resnet"),
    ]
    every = [axis for figure in figures for axis in axes(figure["layout"])]
    assert not [axis for axis in every if {"tickformat", "ticksuffix"} & {*axis}]
    labels = [text for axis in every for text in axis.get("ticktext", [])]
    assert len([text for text in labels if TICK.fullmatch(text)]) > 9
