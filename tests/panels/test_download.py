"""What the page says about a downloaded file."""

from __future__ import annotations

import pytest

from workbench import formatting
from workbench.recipe import Quantize, Recipe


def test_a_file_without_compression_is_told_from_the_original(client):
    client.act("download")
    saved = client.wait("saved", lambda message: "test images" in message["text"])
    _name, _kind, data = client.file()
    original = client.session.model.original_bytes
    assert f"The file of {len(data):,}\u202fbytes" in saved["text"]
    assert f"the original's own file of {original:,}\u202fbytes" in saved["text"]


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_limit_that_is_missed_on_test_alone_is_said(client):
    client.session.set(Recipe(quantize=Quantize(bits=8)))
    client.wait_until_idle()
    client.session.set_floor(client.session.report.value)
    client.act("download")
    saved = client.wait("saved", lambda message: "test images" in message["text"])
    assert "misses the limit" in saved["text"]
    assert not saved["met"]
