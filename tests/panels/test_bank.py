"""The bank of layers, the size that is held, and the sensitivity from which rows are set."""

from __future__ import annotations

import csv
import io

import pytest

import workbench as wb
from workbench.analysis import sensitivity
from workbench.panels import bank, controls
from workbench.recipe import Prune, Quantize, Recipe, Share, Train
from workbench.recipe.off import BY_LAYER

SPARSE = Recipe(prune=Prune(0.9), quantize=Quantize(4))


@pytest.mark.parametrize("name", wb.models())
def test_a_row_for_each_layer(name):
    model = wb.model(name)
    found = bank.rows(model)
    assert [row["name"] for row in found] == list(model.layers)
    # attention of places to each other belongs to no layer
    least = 0.8 if name.startswith("reviews") else 1 - 1e-6
    assert least <= sum(row["work"]["share"] for row in found) <= 1 + 1e-6


def test_what_a_row_says():
    conv2 = bank.rows(wb.model("fashion/lenet5"))[1]
    assert conv2["about"] == "convolution · 50 × 20 × 5 × 5 · 25,000 weights"
    assert conv2["work"] == {
        "share": 1_600_000 / 2_293_000,
        "text": "69.8\u202f%",
        "help": "1,600,000 multiply-adds of an example",
    }


def test_shares_of_bytes_are_those_of_the_file(wire):
    wire.session.set(SPARSE)
    shown = wire.settled()["bank"]["bytes"]
    ledger = wb.compress(wire.session.model, SPARSE).ledger
    for name in wire.session.layers:
        assert shown[name]["share"] == ledger[name].total / ledger.total
        assert shown[name]["help"] == f"{ledger[name].total:,}\u202fbytes"


def test_every_part_that_knows_layers_can_be_left_out_by_one_tick():
    fields = [field for part in controls.describe() for field in part["fields"]]
    rows = {f["key"].split(".")[0]: f["short"] for f in fields if f["kind"] == "layers"}
    assert set(rows) == set(BY_LAYER)
    exempting = {f["key"].split(".")[0] for f in fields if f["kind"] == "names"}
    assert exempting == {*BY_LAYER, "activations"}
    assert rows["prune"] == "sparsity"


def test_a_model_with_a_layer_left_alone_can_still_be_trained(wire):
    leave = {f"{key}_exclude": ["fc3.weight"] for key in BY_LAYER}
    wire.choose(prune_sparsity=0.5, **leave)
    wire.settled()
    assert wire.session.recipe.share == Share(0, exclude=["fc3.weight"])
    wire.session.train(Train(steps=1), 1)
    assert wire.session.recipe.prune.exclude == ("fc3.weight",)
    assert wire.session.recipe.train is not None


def held(wire, recipe=SPARSE):
    wire.session.set(recipe)
    wire.settled()
    wire.act("hold", on=True)
    size = wire.session.report.bytes
    assert wire.session.held == size
    shown = f"asked {size:,}\u202fbytes, is {size:,}\u202fbytes"
    assert wire.last("state")["bank"]["held"] == {"text": shown}
    return size


def test_while_the_size_is_held_the_others_follow(wire):
    size = held(wire)
    values = controls.values(wire.session.recipe) | {"prune.layers": {"fc2.weight": 0.6}}
    wire.act("layer", layer="fc2.weight", values=values)
    state = wire.wait("state", lambda s: not s["busy"] and wire.session.recipe != SPARSE)
    found = wire.session.recipe.prune
    assert found.layers["fc2.weight"] == 0.6
    assert found.sparsity > 0.9
    assert abs(wire.session.report.bytes - size) <= 0.01 * size
    told = [m["values"] for m, _ in wire.view.sent if m["kind"] == "state" and "values" in m]
    assert told[-1]["prune.layers"] == {"fc2.weight": 0.6}
    assert told[-1]["prune.sparsity"] == found.sparsity
    assert state["bank"]["held"]["text"].startswith(f"asked {size:,}\u202fbytes, is ")
    wire.act("hold", on=False)
    assert wire.last("state")["bank"]["held"] is None


def test_what_the_others_cannot_make_up_for_is_said_and_put_back(wire):
    held(wire)
    values = controls.values(wire.session.recipe) | {"prune.layers": {"fc1.weight": 0.1}}
    sent = len(wire.view.sent)
    wire.act("layer", layer="fc1.weight", values=values)
    assert "cannot keep its" in wire.wait("tell")["text"]
    assert wire.session.recipe == SPARSE
    back = [m for m, _ in wire.view.sent[sent:] if m["kind"] == "state" and "values" in m]
    assert back[-1]["values"]["prune.layers"] == {}


def test_a_size_that_is_not_known_cannot_be_held(wire, monkeypatch):
    wire.settled()
    monkeypatch.setattr(wire.session._results, "report", None)
    wire.act("hold", on=True)
    assert "try again in a moment" in wire.last("tell")["text"]
    assert wire.session.held is None


def test_another_model_lets_go_of_the_size_and_the_map(wire):
    held(wire)
    wire.act("model", key="fashion/mlp-32")
    assert wire.session.held is None
    assert wire.session.sensitivity is None


@pytest.fixture
def _two_settings(monkeypatch):
    monkeypatch.setitem(sensitivity.SETTINGS, "prune", (0.5, 0.9))


@pytest.mark.usefixtures("_two_settings")
def test_sensitivity_is_drawn_as_it_comes_and_a_click_sets_the_row(wire):
    wire.session.set(Recipe(prune=Prune(0.2, "random")))
    wire.settled()
    wire.act("tab", key="sensitivity")
    tab = wire.last("tab")
    assert "tried by itself" in tab["note"]
    assert [button["part"] for button in tab["buttons"]] == list(BY_LAYER)
    wire.act("scan", part="prune")
    wire.wait("task", lambda task: task["text"] is None)
    titles = [
        m["figure"]["layout"]["title"]["text"]
        for m, _ in wire.view.sent
        if m["kind"] == "tab" and "figure" in m
    ]
    assert {"Layer by layer: 1 of 6 measured", "Layer by layer: 5 of 6 measured"} <= set(titles)
    found = wire.session.sensitivity
    assert found.share == 1
    assert {point.recipe.prune.criterion for point in found.points} == {"random"}
    cell = wire.last("tab")["figure"]["data"][0]["customdata"][1][0]
    wire.act(name=cell["act"], **{k: v for k, v in cell.items() if k != "act"})
    wire.wait("state", lambda s: "values" in s and s["values"]["prune.layers"])
    assert wire.session.recipe == Recipe(prune=Prune(0.2, "random", layers={"fc2.weight": 0.5}))
    wire.act("sensitivity_csv")
    name, mime, data = wire.file()
    table = list(csv.DictReader(io.StringIO(data.decode())))
    assert (name, mime, len(table)) == ("sensitivity.csv", "text/csv", 6)
    assert float(table[0]["accuracy"]) == found.points[0].value


def test_a_click_on_a_point_of_the_untouched_model_answers_from_the_store(wire, monkeypatch):
    monkeypatch.setitem(sensitivity.SETTINGS, "quantize", (3,))
    wire.settled()
    wire.session.scan("quantize")
    point = wire.session.sensitivity["fc1.weight", 3]
    monkeypatch.setattr("workbench.evaluation.measure.compress", None)
    wire.act("set_row", part="quantize", layer="fc1.weight", setting=3)
    wire.wait("state", lambda s: "values" in s and s["values"]["quantize.layers"])
    assert wire.session.recipe == point.recipe
    assert wire.session.report.accuracy == point.value
    assert not wire.session.busy


def test_sensitivity_is_cancelled_and_keeps_what_it_found(wire):
    wire.settled()
    wire.act("tab", key="sensitivity")
    wire.act("scan", part="prune")
    wire.wait("tab", lambda tab: "figure" in tab and wire.session.sensitivity.points)
    wire.act("cancel")
    wire.wait("task", lambda task: task["text"] is None)
    assert 0 < wire.session.sensitivity.share < 1


@pytest.mark.parametrize(
    "asked",
    [
        {"name": "scan", "part": "train"},
        {"name": "scan"},
        {"name": "set_row", "part": "prune", "layer": "nowhere", "setting": 0.5},
        {"name": "set_row", "part": "prune", "layer": "fc1.weight", "setting": "0.5"},
        {"name": "set_row", "part": "prune", "layer": "fc1.weight", "setting": 7},
        {"name": "set_row", "part": "__class__", "layer": "fc1.weight", "setting": 0.5},
        {"name": "layer", "layer": "fc1.weight", "values": {"prune.sparsity": 9}},
    ],
)
def test_what_cannot_be_asked_for_is_said(wire, asked):
    wire.settled()
    wire.act(**asked)
    assert wire.wait("tell")["text"]
    assert wire.session.recipe == Recipe()
