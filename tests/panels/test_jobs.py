"""Each operation in the background is cancelled on its own."""

from __future__ import annotations

import threading

import pytest

from workbench.panels.actions.background import run_job
from workbench.panels.jobs import COMPARISON, MEASUREMENT, Jobs

WAIT = 60  # seconds until a test fails


def test_a_name_cancels_its_own_operations_only():
    jobs = Jobs()
    deploy, again, choose = (jobs.begin(name) for name in ("deploy", "deploy", "choose"))
    jobs.end(again)
    jobs.cancel("deploy")
    assert [token.cancelled for token in (deploy, again, choose)] == [True, False, False]
    jobs.cancel()
    assert choose.cancelled
    assert not again.cancelled  # it has ended


@pytest.fixture
def running(client):
    """Jobs that run until they are cancelled, by name, each with the event of its end."""
    ends = {}
    for name in ("deploy", "choose", "parallel"):
        ends[name] = threading.Event()

        def work(_dashboard, cancel, end):
            while not cancel.cancelled:
                end.wait(0.01)
            end.set()

        run_job(name, work, client.dashboard, ends[name])
    yield ends
    client.act("cancel")
    assert all(end.wait(WAIT) for end in ends.values())


def test_the_button_of_a_page_leaves_the_others_running(client, running):
    client.act("cancel", job="deploy")
    assert running["deploy"].wait(WAIT)
    for job in (MEASUREMENT, COMPARISON, "scan", ["choose"]):
        client.act("cancel", job=job)
    assert not running["choose"].is_set()
    assert not running["parallel"].is_set()
