"""Notebooks do a share of their work where less time is granted."""

from __future__ import annotations

import pytest

from workbench.errors import WorkbenchError
from workbench.experiments import scaled_steps
from workbench.experiments.scaled_steps import LEAST, SECONDS
from workbench.training.budget import VARIABLE


@pytest.mark.parametrize(
    ("given", "steps"),
    [
        ("", 180),
        (str(SECONDS / 2), 90),
        (str(SECONDS * 9), 180),
        ("0.1", LEAST),
    ],
)
def test_the_share_of_the_steps(monkeypatch, given, steps):
    monkeypatch.setenv(VARIABLE, given)
    assert scaled_steps(180) == steps
    assert scaled_steps(2) == 2


@pytest.mark.parametrize("given", ["plenty", "0", "-3", "nan"])
def test_what_grants_no_time_is_refused(monkeypatch, given):
    monkeypatch.setenv(VARIABLE, given)
    with pytest.raises(WorkbenchError, match="number of seconds above 0"):
        scaled_steps(100)
