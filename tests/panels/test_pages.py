"""The pages of the app: one session, and only the open page is kept up to date."""

from __future__ import annotations

import pytest

from workbench.panels.pages import PAGES
from workbench.recipe import Prune, Recipe


def kinds(client, start):
    return [message["kind"] for message, _ in client.dashboard.sent[start:]]


def test_every_page_has_tabs_and_every_tab_a_page(client):
    page = client.last("page")
    assert [known["key"] for known in page["pages"]] == [known.key for known in PAGES]
    assert {tab["page"] for tab in page["tabs"]} == {known.key for known in PAGES}


def fields(message):
    """Return all fields for a number that a message describes."""
    parts = message.values() if isinstance(message, dict) else message
    nested = [field for part in parts if isinstance(part, dict | list) for field in fields(part)]
    is_number = isinstance(message, dict) and message.get("kind") in ("real", "integer")
    return [message, *nested] if is_number and not message.get("choices") else nested


def test_every_field_for_a_number_says_what_is_allowed(client):
    client.act("page", key="plan")
    client.act("plan")
    described = [*fields(client.last("page")), *fields(client.last("plan"))]
    bounds = {field["key"]: field.get("bounds") for field in described}
    assert bounds.keys() >= {"bandwidth", "learning_rate", "seconds", "price"}
    assert [key for key, allowed in bounds.items() if not allowed] == []


def test_a_page_without_the_chart_receives_none(client):
    client.wait_until_idle()
    client.act("page", key="train")
    start = len(client.dashboard.sent)
    client.set_values(prune_sparsity=0.4)
    client.wait_until_idle()
    assert "state" in kinds(client, start)
    assert "chart" not in kinds(client, start)
    client.act("page", key="compress")
    assert client.last("chart")["seq"] == client.last("state")["seq"]


def test_the_tab_of_a_page_that_was_left_is_not_sent(client):
    client.wait_until_idle()
    client.act("tab", key="bytes")
    client.act("page", key="train")
    start = len(client.dashboard.sent)
    client.set_values(prune_sparsity=0.4)
    client.wait_until_idle()
    assert "tab" not in kinds(client, start)


def test_the_page_of_the_address_opens_first(client):
    client.act("hello", search="?prune.sparsity=0.5", theme="light", page="train")
    assert client.last("page")["open"] == "train"
    assert client.session.recipe.prune.sparsity == 0.5


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nowhere", "<b>", 7])
def test_an_unknown_page_is_reported_and_changes_nothing(client, name):
    client.act("hello", search="", theme="light", page=name)
    error = client.last("state")["error"]
    assert error.startswith("There is no page")
    assert "change page to one of: compress, train" in error
    assert client.last("page")["open"] == "compress"
    client.act("page", key=name)
    assert client.dashboard.open_page == "compress"


@pytest.mark.slow
def test_nothing_is_sent_once_the_last_display_is_removed(client):
    client.wait_until_idle()
    client.act("bye")
    start = len(client.dashboard.sent)
    client.session.reset()
    client.set_values(prune_sparsity=0.4)
    assert not kinds(client, start)
    client.act("hello", search="", theme="light")
    assert "state" in kinds(client, start)


def test_a_step_that_the_open_page_does_not_show_is_said(client):
    client.session.set(Recipe(Prune(0.5)))
    client.session.set_budget(50_000)
    client.act("page", key="choose")
    client.act("undo")  # of the goal, which this page shows
    assert client.wait("state", lambda s: s["redo"])["note"] is None
    client.act("undo")
    note = client.wait("state", lambda s: s["note"])["note"]
    assert note == "The recipe on Compress is now: not compressed."
    client.act("page", key="plan")
    client.act("redo")
    client.act("redo")
    assert "goal on Compress is now: ≤ 50,000" in client.wait("state", lambda s: s["note"])["note"]
    client.act("page", key="compress")
    client.act("undo")
    client.act("undo")
    assert client.wait("state", lambda s: not s["undo"])["note"] is None
