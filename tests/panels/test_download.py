"""What the page says about a downloaded file."""

from __future__ import annotations

import pytest

from workbench import formatting
from workbench.recipe import Quantize, Recipe


@pytest.mark.parametrize(("budget", "met"), [(10_000, False), (None, True), (1_000_000, True)])
def test_both_accuracies_and_whether_the_goal_is_met(client, budget, met):
    client.session.set(Recipe(quantize=Quantize(bits=8)))
    client.wait_until_idle()
    client.session.set_budget(budget)
    client.act("download")
    saved = client.wait("saved", lambda message: "test images" in message["text"])
    validation = formatting.percent(client.session.report.value)
    assert f"(on validation: {validation})" in saved["text"]
    assert {m["met"] for m, _ in client.dashboard.sent if m["kind"] == "saved"} == {met}
