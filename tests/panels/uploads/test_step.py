"""The progress of long work is sent at intervals."""

from __future__ import annotations

import pytest

from workbench.panels.uploads.step import at_intervals

REPORTS = [("reading", 0.1), ("reading", 0.2), ("training", 0.1), ("training", None)]


@pytest.mark.parametrize(
    ("seconds", "sent"), [(0, REPORTS), (1e9, [("reading", 0.1), ("training", 0.1)])]
)
def test_a_new_text_is_sent_at_once_and_a_fraction_later(seconds, sent):
    received = []
    report = at_intervals(lambda *message: received.append(message), seconds)
    for message in REPORTS:
        report(*message)
    assert received == sent
