"""The comparison tab: computed only when it is open and the results are exact."""

from __future__ import annotations

import csv
import io
import threading

import numpy as np
import pytest

import workbench as wb
from workbench.panels.comparison.tab import views
from workbench.plots import flips
from workbench.recipe import Prune, Quantize, Recipe
from workbench.session import analyses

HARSH = Recipe(prune=Prune(sparsity=0.9), quantize=Quantize(bits=3))


@pytest.fixture
def changed(client):
    """A client with the comparison tab open for the recipe `HARSH`."""
    client.session.set(HARSH)
    client.wait_until_idle()
    client.act("tab", key="comparison", columns=5)
    shown(client)
    return client


def shown(client, accept=lambda tab: True):
    return client.wait("tab", lambda tab: tab.get("figure") and accept(tab))


def control(tab, key):
    return next(x for x in tab["controls"] if x.get("key") == key)


def table(client, name):
    sent = len([1 for message, _ in client.dashboard.sent if message["kind"] == "file"])
    client.act("comparison_csv")
    client.wait("file")
    assert len([1 for message, _ in client.dashboard.sent if message["kind"] == "file"]) == sent + 1
    file_name, _mime, data = client.file()
    assert file_name == f"{name}.csv"
    return list(csv.DictReader(io.StringIO(data.decode())))


def test_nothing_is_compared_while_the_tab_is_closed(client, monkeypatch):
    analyses = []
    monkeypatch.setattr(client.session, "analyze", lambda *args, **more: analyses.append(args))
    client.session.set(HARSH)
    client.wait_until_idle()
    client.act("tab", key="results")
    assert analyses == []


def test_title_and_counts_agree_with_the_report(changed):
    comparison = changed.session.analysis("comparison")
    tab = changed.last("tab")
    assert tab["figure"]["layout"]["title"]["text"] == flips.summary(comparison)
    assert f"({len(comparison.became_wrong)})" in control(tab, "kind")["choices"][0]["label"]
    assert (
        tuple(map(tuple, comparison.prediction_counts[1].confusion.tolist()))
        == changed.session.report.confusion
    )
    rows = table(changed, "examples")
    assert len(rows) == len(comparison.flipped)
    changed.act("focus", key="view", value="confusion")
    after = [int(row["after"]) for row in table(changed, "confusion")]
    assert after == np.array(changed.session.report.confusion).ravel().tolist()
    changed.act("focus", key="view", value="recall")
    recall = [float(row["after"]) for row in table(changed, "recall")]
    assert np.mean(recall) == pytest.approx(changed.session.report.recall)


def test_every_view_draws_and_has_data(changed):
    for view in views(changed.session.model.task):
        changed.act("focus", key="view", value=view.key)
        tab = shown(changed, lambda tab, key=view.key: control(tab, "view")["value"] == key)
        assert tab["figure"]["layout"]["title"]["text"]
        assert table(changed, view.key)


@pytest.mark.slow
def test_pages_turn_and_stop_at_both_ends(changed):
    comparison = changed.session.analysis("comparison")
    page = 5 * flips.ROWS

    def turn(direction):
        changed.act("focus", key="page", value=direction)
        tab = changed.last("tab")
        backward, forward = (x for x in tab["controls"] if x.get("key") == "page")
        return changed.session.focus.first, backward["disabled"], forward["disabled"]

    assert turn(-1) == (0, True, False)
    assert turn(1) == (page, False, False)
    for _more in range(len(comparison.became_wrong) // page + 1):
        changed.act("focus", key="page", value=1)
    tab = changed.last("tab")
    assert control(tab, "page")["disabled"] is False
    last = (len(comparison.became_wrong) - 1) // page * page
    assert len(tab["figure"]["layout"]["annotations"]) == len(comparison.became_wrong) - last
    changed.act("focus", key="kind", value="became_right")
    assert changed.session.focus.first == 0
    changed.act("focus", key="columns", value=4)
    assert len(changed.last("tab")["figure"]["layout"]["annotations"]) == 8


def test_a_click_on_an_example_opens_its_attribution(changed):
    comparison = changed.session.analysis("comparison")
    index = 7  # second row, third column
    x, y = 2 * flips.TILE_WIDTH + 9, flips.TILE_HEIGHT + 9
    changed.act("focus", key="tile", value={"x": x, "y": y})
    assert changed.session.focus.example == comparison.became_wrong[index]
    shown(changed, lambda tab: control(tab, "view")["value"] == "attribution")
    assert (
        changed.session.analysis("attribution", int(comparison.became_wrong[index])).label
        == (comparison.labels[comparison.became_wrong[index]])
    )
    changed.act("focus", key="flipped", value=1)
    later = comparison.flipped[comparison.flipped > comparison.became_wrong[index]]
    assert changed.session.focus.example == later[0]
    changed.act("focus", key="example", value=-1)
    assert changed.session.focus.example == later[0] - 1


@pytest.mark.slow
def test_the_weights_of_the_selected_layer(changed):
    changed.act("focus", key="view", value="weights")
    changed.act("focus", key="layer", value="fc2.weight")
    tab = shown(changed, lambda tab: tab["figure"]["layout"]["title"]["text"].startswith("fc2"))
    assert control(tab, "layer")["value"] == "fc2.weight"
    changed.act("model", key="fashion/lenet5")  # has other layers
    changed.wait_until_idle()
    tab = shown(changed, lambda tab: "conv1.weight" in tab["figure"]["layout"]["title"]["text"])
    assert control(tab, "layer")["value"] == "conv1.weight"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("view", "../../etc"),
        ("view", ["examples"]),
        ("kind", "flipped"),
        ("kind", None),
        ("kind", ["became_wrong"]),
        ("layer", "nowhere"),
        ("columns", 10**9),
        ("columns", None),
        ("columns", 2.5),
        ("page", 7),
        ("page", "1"),
        ("example", None),
        ("tile", {"x": 10**9, "y": 0}),
        ("tile", {"x": -900, "y": 0}),
        ("tile", {"x": "0", "y": 0}),
        ("tile", 3),
        ("areas", "yes"),
        ("__class__", 1),
        (None, None),
    ],
)
def test_invalid_values_of_controls_change_nothing(changed, key, value):
    before = changed.session.focus
    changed.act("focus", key=key, value=value)
    assert changed.session.focus == before
    assert changed.dashboard.banner is None


def test_content_stays_during_an_update(changed):
    before = changed.last("tab")["figure"]["layout"]["title"]["text"]
    sent = len(changed.dashboard.sent)
    changed.set_values(prune_sparsity=0.5, quantize_bits=3)
    after = shown(changed, lambda tab: tab["figure"]["layout"]["title"]["text"] != before)
    comparison = changed.session.analysis("comparison")
    assert after["figure"]["layout"]["title"]["text"] == flips.summary(comparison)
    tabs = [message for message, _ in changed.dashboard.sent[sent:] if message["kind"] == "tab"]
    assert "note" in tabs[0]
    assert tabs[0]["keep"]
    changed.act("undo")  # cached, so it is shown immediately
    changed.wait_until_idle()
    assert changed.last("tab")["figure"]["layout"]["title"]["text"] == before


@pytest.fixture
def slow(monkeypatch):
    """Comparisons that run until they are cancelled."""
    started = threading.Semaphore(0)
    recipes = []

    def wait(model, artifact, target, cancel):
        recipes.append(artifact.recipe)
        started.release()
        while not cancel.cancelled:
            threading.Event().wait(0.01)
        raise wb.errors.Cancelled("Cancelled.")

    monkeypatch.setitem(analyses.ANALYZERS, "comparison", wait)
    return started, recipes


@pytest.mark.slow
def test_a_newer_recipe_replaces_the_job_and_cancel_stops_it(client, slow):
    started, recipes = slow
    client.session.set(HARSH)
    client.wait_until_idle()
    client.act("tab", key="comparison")
    assert started.acquire(timeout=60)
    client.set_values(prune_sparsity=0.5)
    assert started.acquire(timeout=60)
    assert recipes == [HARSH, Recipe(prune=Prune(0.5), quantize=Quantize(bits=3))]
    assert client.wait("progress", lambda task: task["text"])  # the progress bar
    client.act("cancel")
    assert client.wait("progress", lambda task: task["text"] is None)
    assert len(recipes) == 2
    client.set_values(prune_sparsity=0.6)  # a different job starts
    assert started.acquire(timeout=60)


def test_a_failure_is_reported_once(client, monkeypatch):
    attempts = []

    def fail(*_args):
        attempts.append(1)
        raise wb.WorkbenchError("There is no room.")

    monkeypatch.setitem(analyses.ANALYZERS, "comparison", fail)
    client.set_values(prune_sparsity=0.5)
    client.wait_until_idle()
    client.act("tab", key="comparison")
    assert client.wait("banner")["text"] == "There is no room."
    client.act("focus", key="kind", value="became_right")
    assert len(attempts) == 1
    assert "note" in client.last("tab")
    client.act("comparison_csv")
    assert "try again" in client.last("banner")["text"]


def test_bytes_as_a_treemap(client):
    client.wait_until_idle()
    client.act("tab", key="bytes")
    assert client.last("tab")["figure"]["data"][0]["type"] == "bar"
    client.act("focus", key="areas", value=True)
    tiles = client.last("tab")["figure"]["data"][0]
    assert tiles["type"] == "treemap"
    assert tiles["values"][0] == client.session.report.size.bytes


def test_the_original_is_not_compared_with_itself(client):
    client.wait_until_idle()
    client.act("tab", key="comparison")
    assert client.last("tab")["note"].startswith("Nothing has changed yet")
    client.set_values(prune_sparsity=0.9)
    assert client.wait("tab", lambda tab: tab.get("figure"))
