"""The sentence that says why a parallel run is slow must fit the times of the run."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from workbench.parallel.reason import reason


@pytest.mark.parametrize(
    ("computing_share", "explained"),
    [(0.4, True), (0.85, False)],  # of 210 ms: 84 ms, and 178.5 ms against 97.2 ms
)
def test_waiting_is_the_reason_only_if_it_explains_the_time(computing_share, explained):
    result = SimpleNamespace(
        plan=SimpleNamespace(ranks=2),
        cores=2,
        seconds_per_step=0.210,
        baseline_seconds_per_step=0.0972,
        computing_share=computing_share,
    )
    text = reason(result)
    assert "2.16" in text
    assert ("because they compute for only 40" in text) == explained
    assert ("178\u202fms" in text) == (not explained)
