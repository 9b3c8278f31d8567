"""The layer table, keeping the file size, and setting a layer from the sensitivity chart."""

from __future__ import annotations

import csv
import io

import pytest

import workbench as wb
from workbench.analysis import sensitivity
from workbench.panels import controls
from workbench.panels.views import layer_table
from workbench.recipe import Prune, Quantize, Recipe, Share, Train
from workbench.recipe.off import BY_LAYER

SPARSE = Recipe(prune=Prune(0.9), quantize=Quantize(4))


@pytest.mark.parametrize("name", wb.models())
def test_a_row_for_each_layer(name):
    model = wb.model(name)
    rows = layer_table.rows(model)
    assert [row["name"] for row in rows] == list(model.layers)
    # products of queries and keys in attention belong to no layer
    minimum = 0.8 if name.startswith("reviews") else 1 - 1e-6
    assert minimum <= sum(row["macs"]["share"] for row in rows) <= 1 + 1e-6


def test_contents_of_a_row():
    conv2 = layer_table.rows(wb.model("fashion/lenet5"))[1]
    assert conv2["description"] == "convolution · 50 × 20 × 5 × 5 · 25,000 weights"
    assert conv2["macs"] == {
        "share": 1_600_000 / 2_293_000,
        "text": "69.8\u202f%",
        "help": "1,600,000 multiply-accumulates per example",
    }


def test_shares_of_bytes_match_the_file(client):
    client.session.set(SPARSE)
    shown = client.wait_until_idle()["layer_table"]["bytes"]
    ledger = wb.compress(client.session.model, SPARSE).ledger
    for name in client.session.layers:
        assert shown[name]["share"] == ledger[name].total / ledger.total
        assert shown[name]["help"] == f"{ledger[name].total:,}\u202fbytes"


def test_every_part_with_per_layer_settings_has_an_exclude_field():
    fields = [
        field
        for part in controls.describe(wb.model("fashion/lenet5"), Recipe())
        for field in part["fields"]
    ]
    rows = {f["key"].split(".")[0]: f["short"] for f in fields if f["kind"] == "layers"}
    assert set(rows) == set(BY_LAYER)
    excluding = {f["key"].split(".")[0] for f in fields if f["kind"] == "names"}
    assert excluding == {*BY_LAYER, "activations"}
    assert rows["prune"] == "sparsity"


def test_a_model_with_an_excluded_layer_can_be_trained(client):
    excluded = {f"{key}_exclude": ["fc3.weight"] for key in BY_LAYER}
    client.set_values(prune_sparsity=0.5, **excluded)
    client.wait_until_idle()
    assert client.session.recipe.share == Share(0, exclude=["fc3.weight"])
    client.session.train(Train(steps=1), 1)
    assert client.session.recipe.prune.exclude == ("fc3.weight",)
    assert client.session.recipe.train is not None


def hold_size(client, recipe=SPARSE):
    client.session.set(recipe)
    client.wait_until_idle()
    client.act("hold_size", on=True)
    size = client.session.report.bytes
    assert client.session.target_size == size
    shown = f"target {size:,}\u202fbytes, current {size:,}\u202fbytes"
    assert client.last("state")["layer_table"]["held_size"] == {"text": shown}
    return size


@pytest.mark.slow
def test_other_layers_are_adjusted_while_the_size_is_kept(client):
    size = hold_size(client)
    values = client.values() | {"prune.layers": {"fc2.weight": 0.6}}
    client.act("layer_values", layer="fc2.weight", values=values)
    state = client.wait("state", lambda s: not s["busy"] and client.session.recipe != SPARSE)
    prune = client.session.recipe.prune
    assert prune.layers["fc2.weight"] == 0.6
    assert prune.sparsity > 0.9
    assert abs(client.session.report.bytes - size) <= 0.01 * size
    sent = [m["values"] for m, _ in client.dashboard.sent if m["kind"] == "state" and "values" in m]
    assert sent[-1]["prune.layers"] == {"fc2.weight": 0.6}
    assert sent[-1]["prune.sparsity"] == prune.sparsity
    shown = state["layer_table"]["held_size"]["text"]
    assert shown.startswith(f"target {size:,}\u202fbytes, current ")
    client.act("hold_size", on=False)
    assert client.last("state")["layer_table"]["held_size"] is None


def test_a_change_that_cannot_keep_the_size_is_reported_and_reverted(client):
    hold_size(client)
    values = client.values() | {"prune.layers": {"fc1.weight": 0.1}}
    sent = len(client.dashboard.sent)
    client.act("layer_values", layer="fc1.weight", values=values)
    assert "cannot keep its" in client.wait("banner")["text"]
    assert client.session.recipe == SPARSE
    reverted = [
        m for m, _ in client.dashboard.sent[sent:] if m["kind"] == "state" and "values" in m
    ]
    assert reverted[-1]["values"]["prune.layers"] == {}


def test_an_unknown_size_cannot_be_kept(client, monkeypatch):
    client.wait_until_idle()
    monkeypatch.setattr(client.session._state, "report", None)
    client.act("hold_size", on=True)
    assert "try again in a moment" in client.last("banner")["text"]
    assert client.session.target_size is None


def test_another_model_clears_the_size_and_the_sensitivity(client):
    hold_size(client)
    client.act("model", key="fashion/mlp-32")
    assert client.session.target_size is None
    assert client.session.sensitivity is None


@pytest.fixture
def _two_settings(monkeypatch):
    monkeypatch.setitem(sensitivity.SETTINGS, "prune", (0.5, 0.9))


@pytest.mark.slow
@pytest.mark.usefixtures("_two_settings")
def test_sensitivity_is_drawn_incrementally_and_a_click_sets_the_layer(client):
    client.session.set(Recipe(prune=Prune(0.2, "random")))
    client.wait_until_idle()
    client.act("tab", key="sensitivity")
    tab = client.last("tab")
    assert "compressed alone" in tab["note"]
    assert [button["part"] for button in tab["buttons"]] == list(BY_LAYER)
    client.act("scan", part="prune")
    client.wait("progress", lambda task: task["text"] is None)
    titles = [
        m["figure"]["layout"]["title"]["text"]
        for m, _ in client.dashboard.sent
        if m["kind"] == "tab" and "figure" in m
    ]
    assert {"Layer by layer: 1 of 6 measured", "Layer by layer: 5 of 6 measured"} <= set(titles)
    result = client.session.sensitivity
    assert result.completed == 1
    assert {point.recipe.prune.criterion for point in result.points} == {"random"}
    cell = client.last("tab")["figure"]["data"][0]["customdata"][1][0]
    client.act(name=cell["act"], **{k: v for k, v in cell.items() if k != "act"})
    client.wait("state", lambda s: "values" in s and s["values"]["prune.layers"])
    assert client.session.recipe == Recipe(prune=Prune(0.2, "random", layers={"fc2.weight": 0.5}))
    client.act("sensitivity_csv")
    name, mime, data = client.file()
    table = list(csv.DictReader(io.StringIO(data.decode())))
    assert (name, mime, len(table)) == ("sensitivity.csv", "text/csv", 6)
    assert float(table[0]["accuracy"]) == result.points[0].value


@pytest.mark.slow
def test_a_click_on_a_point_of_the_uncompressed_model_uses_the_cache(client, monkeypatch):
    monkeypatch.setitem(sensitivity.SETTINGS, "quantize", (3,))
    client.wait_until_idle()
    client.session.scan("quantize")
    point = client.session.sensitivity["fc1.weight", 3]
    monkeypatch.setattr("workbench.evaluation.measure.compress", None)
    client.act("set_row", part="quantize", layer="fc1.weight", setting=3)
    client.wait("state", lambda s: "values" in s and s["values"]["quantize.layers"])
    assert client.session.recipe == point.recipe
    assert client.session.report.accuracy == point.value
    assert not client.session.busy


def test_a_cancelled_sensitivity_scan_retains_its_points(client):
    client.wait_until_idle()
    client.act("tab", key="sensitivity")
    client.act("scan", part="prune")
    client.wait("tab", lambda tab: "figure" in tab and client.session.sensitivity.points)
    client.act("cancel")
    client.wait("progress", lambda task: task["text"] is None)
    assert 0 < client.session.sensitivity.completed < 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "message",
    [
        {"name": "scan", "part": "train"},
        {"name": "scan"},
        {"name": "set_row", "part": "prune", "layer": "nowhere", "setting": 0.5},
        {"name": "set_row", "part": "prune", "layer": "fc1.weight", "setting": "0.5"},
        {"name": "set_row", "part": "prune", "layer": "fc1.weight", "setting": 7},
        {"name": "set_row", "part": "__class__", "layer": "fc1.weight", "setting": 0.5},
        {"name": "layer_values", "layer": "fc1.weight", "values": {"prune.sparsity": 9}},
    ],
)
def test_an_invalid_message_is_reported(client, message):
    client.wait_until_idle()
    client.act(**message)
    assert client.wait("banner")["text"]
    assert client.session.recipe == Recipe()
