"""Each operation in the background is cancelled on its own."""

from __future__ import annotations

import threading

import pytest

from workbench.panels.actions.background import progress_bar, run_job
from workbench.panels.jobs import COMPARISON, MEASUREMENT, Jobs
from workbench.panels.widget import SessionWidget

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


def test_the_messages_of_a_progress_bar_have_a_number_of_their_own(client):
    with progress_bar(client.dashboard, "download", "Creating") as show:
        show(0.5, "Half")
        with progress_bar(client.dashboard, "download", "Again"):
            pass
    bars = [message for message, _ in client.dashboard.sent if message["kind"] == "progress"]
    first, second = bars[0]["number"], bars[2]["number"]
    assert first != second
    assert [(bar["number"], bar["text"]) for bar in bars] == [
        (first, "Creating"),
        (first, "Half"),
        (second, "Again"),
        (second, None),
        (first, None),
    ]


def test_a_widget_cancels_the_work_that_it_shows_of_another_one(client, running):
    other = SessionWidget(client.session)
    other._on_message(other, {"act": "cancel", "job": "choose"}, [])
    assert running["choose"].wait(WAIT)
    assert not running["deploy"].is_set()
    other.close()
