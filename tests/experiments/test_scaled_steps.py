"""Notebooks train fewer steps with a smaller time budget."""

from __future__ import annotations

import pytest

from tests.raises import raises
from workbench.experiments import scaled_steps
from workbench.experiments.scaled_steps import FULL_SECONDS, MIN_STEPS
from workbench.training.budget import VARIABLE


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("", 180),
        (str(FULL_SECONDS / 2), 90),
        (str(FULL_SECONDS * 9), 180),
        ("0.1", MIN_STEPS),
    ],
)
def test_steps_are_proportional_to_the_budget(monkeypatch, text, steps):
    monkeypatch.setenv(VARIABLE, text)
    assert scaled_steps(180) == steps
    assert scaled_steps(2) == 2


@pytest.mark.parametrize("text", ["plenty", "0", "-3", "nan"])
def test_an_invalid_budget_is_rejected(monkeypatch, text):
    monkeypatch.setenv(VARIABLE, text)
    with raises("training.budget_variable", text):
        scaled_steps(100)
