"""The tab of what changed: found out when the numbers are exact, and only for who looks."""

from __future__ import annotations

import csv
import io
import threading

import numpy as np
import pytest

import workbench as wb
from workbench.panels.comparing.tab import views
from workbench.plots import flips
from workbench.recipe import Prune, Quantize, Recipe
from workbench.session import analyses

HARSH = Recipe(prune=Prune(sparsity=0.9), quantize=Quantize(bits=3))


@pytest.fixture
def changed(wire):
    """A page that shows what `HARSH` changed."""
    wire.session.set(HARSH)
    wire.settled()
    wire.act("tab", key="changed", columns=5)
    shown(wire)
    return wire


def shown(wire, accept=lambda tab: True):
    return wire.wait("tab", lambda tab: tab.get("figure") and accept(tab))


def control(tab, key):
    return next(one for one in tab["controls"] if one.get("key") == key)


def table(wire, name):
    sent = len([1 for message, _ in wire.view.sent if message["kind"] == "file"])
    wire.act("changed_csv")
    wire.wait("file")
    assert len([1 for message, _ in wire.view.sent if message["kind"] == "file"]) == sent + 1
    found, _mime, data = wire.file()
    assert found == f"{name}.csv"
    return list(csv.DictReader(io.StringIO(data.decode())))


def test_nothing_is_compared_while_nobody_looks(wire, monkeypatch):
    asked = []
    monkeypatch.setattr(wire.session, "find_out", lambda *what, **more: asked.append(what))
    wire.session.set(HARSH)
    wire.settled()
    wire.act("tab", key="results")
    assert asked == []


def test_the_title_and_the_counts_are_those_of_the_report(changed):
    found = changed.session.found("changes")
    tab = changed.last("tab")
    assert tab["figure"]["layout"]["title"]["text"] == flips.summary(found)
    assert f"({len(found.lost)})" in control(tab, "kind")["choices"][0]["label"]
    assert (
        tuple(map(tuple, found.prediction_counts[1].confusion.tolist()))
        == changed.session.report.confusion
    )
    rows = table(changed, "pictures")
    assert len(rows) == len(found.flipped)
    changed.act("look", key="view", value="confusion")
    after = [int(row["after"]) for row in table(changed, "confusion")]
    assert after == np.array(changed.session.report.confusion).ravel().tolist()
    changed.act("look", key="view", value="recall")
    recall = [float(row["after"]) for row in table(changed, "recall")]
    assert np.mean(recall) == pytest.approx(changed.session.report.recall)


def test_every_view_draws_and_has_data(changed):
    for view in views(changed.session.model.task):
        changed.act("look", key="view", value=view.key)
        tab = shown(changed, lambda tab, key=view.key: control(tab, "view")["value"] == key)
        assert tab["figure"]["layout"]["title"]["text"]
        assert table(changed, view.key)


def test_pages_turn_and_stop_at_their_ends(changed):
    found = changed.session.found("changes")
    page = 5 * flips.ROWS

    def turn(way):
        changed.act("look", key="page", value=way)
        tab = changed.last("tab")
        backward, forward = (one for one in tab["controls"] if one.get("key") == "page")
        return changed.session.focus.first, backward["disabled"], forward["disabled"]

    assert turn(-1) == (0, True, False)
    assert turn(1) == (page, False, False)
    for _more in range(len(found.lost) // page + 1):
        changed.act("look", key="page", value=1)
    tab = changed.last("tab")
    assert control(tab, "page")["disabled"] is False
    last = (len(found.lost) - 1) // page * page
    assert len(tab["figure"]["layout"]["annotations"]) == len(found.lost) - last
    changed.act("look", key="kind", value="won")
    assert changed.session.focus.first == 0
    changed.act("look", key="columns", value=4)
    assert len(changed.last("tab")["figure"]["layout"]["annotations"]) == 8


def test_a_picture_opens_what_the_network_looks_at(changed):
    found = changed.session.found("changes")
    place = 7  # second row, third column
    x, y = 2 * flips.SIDE + 9, flips.DEEP + 9
    changed.act("look", key="tile", value={"x": x, "y": y})
    assert changed.session.focus.example == found.lost[place]
    shown(changed, lambda tab: control(tab, "view")["value"] == "attribution")
    assert (
        changed.session.found("attribution", int(found.lost[place])).label
        == (found.labels[found.lost[place]])
    )
    changed.act("look", key="flipped", value=1)
    later = found.flipped[found.flipped > found.lost[place]]
    assert changed.session.focus.example == later[0]
    changed.act("look", key="example", value=-1)
    assert changed.session.focus.example == later[0] - 1


def test_the_weights_of_the_layer_chosen(changed):
    changed.act("look", key="view", value="weights")
    changed.act("look", key="layer", value="fc2.weight")
    tab = shown(changed, lambda tab: tab["figure"]["layout"]["title"]["text"].startswith("fc2"))
    assert control(tab, "layer")["value"] == "fc2.weight"
    changed.act("model", key="fashion/lenet5")  # has other layers
    changed.settled()
    tab = shown(changed, lambda tab: "conv1.weight" in tab["figure"]["layout"]["title"]["text"])
    assert control(tab, "layer")["value"] == "conv1.weight"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("view", "../../etc"),
        ("view", ["pictures"]),
        ("kind", "flipped"),
        ("kind", None),
        ("kind", ["lost"]),
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
def test_hostile_looks_change_nothing(changed, key, value):
    before = changed.session.focus
    changed.act("look", key=key, value=value)
    assert changed.session.focus == before
    assert changed.view.banner is None


def test_what_was_shown_pales_while_the_recipe_moves_and_is_renewed(changed):
    before = changed.last("tab")["figure"]["layout"]["title"]["text"]
    sent = len(changed.view.sent)
    changed.choose(prune_sparsity=0.5, quantize_bits=3)
    after = shown(changed, lambda tab: tab["figure"]["layout"]["title"]["text"] != before)
    found = changed.session.found("changes")
    assert after["figure"]["layout"]["title"]["text"] == flips.summary(found)
    tabs = [message for message, _ in changed.view.sent[sent:] if message["kind"] == "tab"]
    assert "note" in tabs[0]
    assert tabs[0]["keep"]
    changed.act("undo")  # known: at once, without waiting
    changed.settled()
    assert changed.last("tab")["figure"]["layout"]["title"]["text"] == before


@pytest.fixture
def slow(monkeypatch):
    """Comparisons that wait until they are given up."""
    begun = threading.Semaphore(0)
    subjects = []

    def wait(model, artifact, of, cancelled, progress):
        subjects.append(artifact.recipe)
        begun.release()
        while not cancelled():
            threading.Event().wait(0.01)
        raise wb.errors.Cancelled("Given up.")

    monkeypatch.setitem(analyses.ANALYZERS, "changes", wait)
    return begun, subjects


def test_a_newer_recipe_takes_over_and_a_cancel_ends_it(wire, slow):
    begun, subjects = slow
    wire.session.set(HARSH)
    wire.settled()
    wire.act("tab", key="changed")
    assert begun.acquire(timeout=60)
    wire.choose(prune_sparsity=0.5)
    assert begun.acquire(timeout=60)
    assert subjects == [HARSH, Recipe(prune=Prune(0.5), quantize=Quantize(bits=3))]
    assert wire.wait("task", lambda task: task["text"])  # it takes a while: a bar
    wire.act("cancel")
    assert wire.wait("task", lambda task: task["text"] is None)
    assert len(subjects) == 2
    wire.choose(prune_sparsity=0.6)  # something else is wanted: it begins again
    assert begun.acquire(timeout=60)


def test_a_failure_is_told_once(wire, monkeypatch):
    tried = []

    def fail(*_what):
        tried.append(1)
        raise wb.WorkbenchError("There is no room.")

    monkeypatch.setitem(analyses.ANALYZERS, "changes", fail)
    wire.settled()
    wire.act("tab", key="changed")
    assert wire.wait("tell")["text"] == "There is no room."
    wire.act("look", key="kind", value="won")
    assert len(tried) == 1
    assert "note" in wire.last("tab")
    wire.act("changed_csv")
    assert "try again" in wire.last("tell")["text"]


def test_bytes_as_areas(wire):
    wire.settled()
    wire.act("tab", key="bytes")
    assert wire.last("tab")["figure"]["data"][0]["type"] == "bar"
    wire.act("look", key="areas", value=True)
    tiles = wire.last("tab")["figure"]["data"][0]
    assert tiles["type"] == "treemap"
    assert tiles["values"][0] == wire.session.report.size.bytes


def test_training_teacher_and_temperatures_share_a_place(wire):
    places = {tab["key"]: tab["under"] for tab in wire.last("page")["tabs"]}
    assert {key for key, under in places.items() if under} == {"teacher", "temperature"}
    for key in ("training", "teacher", "temperature"):
        wire.act("tab", key=key)
        turn = wire.last("tab")["controls"][0]
        assert turn["value"] == key
        assert len(turn["choices"]) == 3
