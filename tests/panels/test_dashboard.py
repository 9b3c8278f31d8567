"""The page and the session agree, whichever of them changes."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys

import pytest

from workbench.errors import WorkbenchError
from workbench.profiling.energy.energy import HOW
from workbench.recipe import Prune, Quantize, Recipe
from workbench.recipe.presets import PRESETS

SMALL = Recipe(prune=Prune(sparsity=0.8), quantize=Quantize(bits=4))


def test_a_new_page_receives_all_messages_in_order(client):
    client.wait("chart")
    kinds = [message["kind"] for message, _ in client.dashboard.sent]
    first = kinds.index("page")
    assert list(dict.fromkeys(kinds[first:])) == ["page", "state", "chart"]  # in order of arrival
    state = client.dashboard.sent[first + 1][0]
    assert state["values"]["prune.sparsity"] == 0
    assert state["values"]["quantize.bits"] == 32
    assert client.last("page")["layers"] == list(client.session.layers)


def test_a_control_changes_the_session_and_is_answered(client):
    client.set_values(prune_sparsity=0.8, quantize_bits=4)
    assert client.session.recipe == SMALL
    state = client.wait_until_idle()
    report = client.session.report
    assert state["seq"] == 1
    assert "values" not in state
    assert state["numbers"]["exact"]
    assert state["numbers"]["bytes"] == f"{report.size.bytes:,}\u202fbytes"
    assert client.last("chart")["seq"] == 1


def test_the_chart_is_drawn_once_for_a_new_recipe(client):
    client.wait_until_idle()
    since = len(client.dashboard.sent)
    client.set_values(prune_sparsity=0.9, quantize_bits=3)
    client.wait("chart", lambda chart: chart["seq"] == 1)
    messages = [message for message, _ in client.dashboard.sent[since:]]
    states = [message for message in messages if message["kind"] == "state" and message["seq"] == 1]
    assert [state["busy"] for state in states[-2:]] == [True, False]  # an estimate, then the result
    assert states[-2]["plane"]["you"] is not None
    assert [message["kind"] for message in messages].count("chart") == 1


def test_the_session_changes_the_controls(client):
    client.session.set(SMALL)
    assert client.wait("state", lambda s: "values" in s)["values"]["prune.sparsity"] == 0.8
    client.wait_until_idle()
    client.act("undo")
    assert client.session.recipe == Recipe()
    assert client.last("state")["values"]["quantize.bits"] == 32
    assert client.last("state")["redo"]


def test_results_never_belong_to_other_values(client):
    client.set_values(prune_sparsity=0.5)
    client.set_values(prune_sparsity=0.9)
    client.wait_until_idle()
    for message, _ in client.dashboard.sent:
        if message["kind"] == "state" and not message["outdated"]:
            requested = message["numbers"]["facts"][0]["value"]
            expected = {1: {"50.0\u202f%"}, 2: {"90.0\u202f%"}}.get(message["seq"], {"0.0\u202f%"})
            assert requested in {*expected, "\u2013"}


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_presets(client, preset):
    client.act("preset", key=preset.name)
    assert client.session.recipe == preset.recipe


def test_visited_recipes_are_restored(client):
    client.set_values(prune_sparsity=0.8, quantize_bits=4)
    client.wait_until_idle()
    client.act("reset")
    client.wait_until_idle()
    key = [visit.recipe for visit in client.session.visited].index(SMALL)
    traces = client.last("chart")["figure"]["data"]
    visited = next(trace for trace in traces if trace.get("name") == "visited")
    assert key in visited["customdata"]
    client.act("visit", key=key)
    assert client.session.recipe == SMALL
    client.act("visit", key=99)
    client.act("visit", key="../../etc")
    assert client.session.recipe == SMALL


def test_only_the_open_tab_is_sent(client):
    client.wait_until_idle()
    assert client.last("tab") is None
    client.act("tab", key="results")
    assert not client.last("tab")["table"]["rows"]
    client.act("tab", key=None)
    sent = len(client.dashboard.sent)
    client.set_values(prune_sparsity=0.3)
    client.wait_until_idle()
    assert not [m for m, _ in client.dashboard.sent[sent:] if m["kind"] == "tab"]
    client.act("tab", key="results")
    assert len(client.last("tab")["table"]["rows"]) == 1


def test_another_model_changes_the_layers(client):
    client.act("model", key="fashion/lenet5")
    assert client.session.model.name == "fashion/lenet5"
    layers = list(client.session.layers)
    assert client.wait("page", lambda page: page["layers"] == layers)


def test_a_link_is_restored(client):
    client.act("hello", search=f"?m=fashion/lenet-300-100&{query(SMALL)}", theme="light")
    assert client.session.recipe == SMALL
    states = [message for message, _ in client.dashboard.sent if message["kind"] == "state"]
    shown = [state["values"] for state in states if "values" in state]
    assert shown[-1]["prune.sparsity"] == 0.8


@pytest.mark.slow
@pytest.mark.parametrize(
    "search", ["?prune.sparsity=7", "?nonsense=1", "?m=<script>", "?quantize.bits=", "?%00"]
)
def test_an_invalid_link_is_reported_and_the_default_opens(client, search):
    client.act("hello", search=search, theme="light")
    state = client.last("state")
    assert state["error"].startswith("This link is not valid")
    assert client.session.recipe == Recipe()


def test_a_closed_message_stays_closed_when_a_page_opens(client):
    client.act("hello", search="?prune.sparsity=7", theme="light")
    client.act("page", key="plan")
    assert client.last("state")["error"]
    client.act("close_message")
    assert client.last("banner")["text"] == ""
    client.act("page", key="compress")
    assert not client.last("state")["error"]


@pytest.mark.parametrize(
    "values",
    [
        {"prune.sparsity": 7},
        {"prune.sparsity": "0.5"},
        {"unknown.key": 1},
        {"prune": 1},
        {"prune.layers": {"nowhere": 0.5}},
        {"quantize.bits": [4]},
    ],
)
def test_invalid_values_are_reported_and_change_nothing(client, values):
    client.send_values(values)
    assert client.last("banner")["text"]
    assert client.session.recipe == Recipe()


def test_an_unexpected_error_is_one_sentence_and_a_traceback_on_standard_error(
    client, capfd, monkeypatch
):
    client.wait_until_idle()
    monkeypatch.setattr(sys, "__stderr__", sys.stderr)
    monkeypatch.setattr(client.session, "reset", lambda: 1 / 0)
    client.act("reset")
    assert "ZeroDivisionError" in client.last("banner")["text"]
    assert "Traceback" not in client.last("banner")["text"]
    assert "Traceback" in capfd.readouterr().err


def test_a_failed_measurement_leaves_the_last_result_marked_stale(client, monkeypatch):
    before = client.wait_until_idle()["numbers"]["bytes"]

    def refuse(*_args, **_more):
        raise WorkbenchError("There is no room.")

    monkeypatch.setattr("workbench.evaluation.measure.compress", refuse)
    client.set_values(prune_sparsity=0.77)
    state = client.wait("state", lambda s: s["error"])
    assert state["error"] == "There is no room."
    assert state["stale"]
    assert state["numbers"]["bytes"] == before


def test_the_download_has_the_displayed_size(client):
    client.set_values(prune_sparsity=0.8, quantize_bits=4)
    shown = client.wait_until_idle()["numbers"]["bytes"]
    client.act("download")
    name, mime, data = client.file()
    assert name.startswith("fashion-lenet-300-100-prune-0.8-quantize-4-")
    assert name.endswith(".safetensors")
    assert mime == "application/octet-stream"
    assert f"{len(data):,}\u202fbytes" == shown
    saved = client.wait("saved")
    assert saved["name"] == name
    assert name in saved["code"]


def test_what_is_said_of_a_saved_file_belongs_to_one_recipe_and_model(client):
    client.act("download")
    saved = client.wait("saved")["selected"]
    assert client.wait_until_idle()["selected"] == saved
    for change in (
        lambda: client.session.set(Recipe(quantize=Quantize(8))),
        lambda: client.session.choose_model("fashion/mlp-32"),
        client.session.reset,
    ):
        change()
        assert client.last("state")["selected"] != saved
    assert "10,000 test images" in client.wait("saved", lambda m: "test" in m["text"])["text"]


@pytest.mark.slow
def test_latency_is_measured_on_request(client):
    client.set_values(prune_sparsity=0.5)
    client.wait_until_idle()
    client.act("tab", key="cost")
    before = {row["cells"][0]: row["cells"][1:] for row in client.last("tab")["table"]["rows"]}
    assert before["multiply-accumulates per example"] == ["266,200", "266,200"]
    assert before["latency, batch of 1"] == ["–", "–"]
    client.act("timing")
    timed = client.wait("tab", lambda tab: "–" not in tab["table"]["rows"][2]["cells"])
    for name, *both in (row["cells"] for row in timed["table"]["rows"][2:4]):
        assert "batch" in name
        for cell in both:
            low, high = re.findall(r"([\d.]+)\u202fms", cell)[1:]
            assert 0 < float(low) <= float(high)
    for cell in timed["table"]["rows"][4]["cells"][1:]:
        assert "J" in cell
    assert any(text in timed["table"]["foot"] for text in HOW.values())
    assert client.wait("progress", lambda task: task["text"] is None)
    facts = {fact["label"]: fact["value"] for fact in client.last("state")["numbers"]["facts"]}
    assert re.fullmatch(r"[\d.]+\u202fms, uncompressed [\d.]+\u202fms", facts["latency"])
    client.set_values(prune_sparsity=0.6)  # the latency of another file is not measured
    client.wait_until_idle()
    facts = {fact["label"] for fact in client.last("state")["numbers"]["facts"]}
    assert "latency" not in facts
    assert "–" in client.last("tab")["table"]["rows"][2]["cells"]


@pytest.mark.slow
def test_training_on_the_page(client):
    client.set_values(prune_sparsity=0.9)
    client.wait_until_idle()
    before = client.session.report.accuracy
    section = client.last("page")["training"]
    distilling, from_scratch = (f for f in section["main"] if f["key"] == "teacher")
    teachers = [choice["value"] for choice in distilling["choices"]]
    assert teachers[0] == "self"
    assert "fashion/resnet" in teachers
    assert [choice["value"] for choice in from_scratch["choices"]] == ["", *teachers]
    client.act("tab", key="training")
    assert "note" in client.last("tab")
    client.act("train", values=section["values"] | {"teacher": "self"}, seconds=1)
    client.wait("tab", lambda tab: tab.get("figure"))
    client.wait_until_idle()
    assert client.session.recipe.train.teacher == "self"
    assert client.session.report.accuracy > before
    figure = client.wait("tab", lambda tab: " in " in title(tab))["figure"]
    course = next(line for line in figure["data"] if line.get("name") == "accuracy of the file")
    assert course["x"][0] == 0
    assert course["x"][-1] == client.session.recipe.train.steps
    assert f"{100 * before:.1f}" in title(client.last("tab"))
    assert f"{100 * client.session.report.accuracy:.1f}" in title(client.last("tab"))
    client.act("focus", key="loss", value=True)
    names = [line["name"] for line in client.last("tab")["figure"]["data"]]
    assert names == ["training loss", "sparsity during training"]
    client.act("training_csv")
    assert [int(row["step"]) for row in table(client)][-1] == client.session.recipe.train.steps
    client.set_values(prune_sparsity=0.5)  # a slider selects the untrained file
    client.wait_until_idle()
    assert client.session.recipe == Recipe(prune=Prune(0.5))
    trained = next(t for t in client.last("chart")["figure"]["data"] if t.get("name") == "visited")
    assert trained["marker"]["symbol"].count("triangle-up") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "message",
    [
        {"values": {}, "seconds": 0},
        {"values": {}, "seconds": 1e9},
        {"values": None, "seconds": 5},
        {"values": {"temperature": 0}, "seconds": 5},
        {"values": {"steps": 5}, "seconds": 5},
        {"values": {}, "steps": 2.5},
        {"values": {}, "steps": "many"},
        {"values": {}, "steps": 10**9},
        {"values": {"teacher": "nobody"}, "seconds": 5},
        {},
    ],
)
def test_invalid_training_settings_are_one_sentence(client, message):
    client.wait_until_idle()
    client.act("train", **message)
    assert client.last("banner")["text"].endswith(".")
    assert client.session.recipe == Recipe()


def test_the_teacher_follows_the_temperature_immediately(client):
    client.wait_until_idle()
    client.act("tab", key="teacher")
    assert "note" in client.last("tab")
    client.act("query_teacher", teacher="fashion/lenet5", temperature=2)
    first = client.wait("tab", lambda tab: tab.get("figure"))["figure"]["data"][0]["x"]
    client.act("query_teacher", teacher="fashion/lenet5", temperature=20)
    second = client.last("tab")["figure"]["data"][0]["x"]  # without waiting
    assert max(second) < max(first)
    assert sum(first) == pytest.approx(1)
    client.act("teacher_csv")
    assert [float(row["probability"]) for row in table(client)] == pytest.approx(second)
    client.act("query_teacher", teacher="fashion/lenet5", temperature=0)
    assert "above 0" in client.last("banner")["text"]


def title(tab):
    return tab["figure"]["layout"]["title"]["text"] if tab.get("figure") else ""


def test_tables_are_csv(client):
    client.set_values(prune_sparsity=0.8, quantize_bits=4)
    client.wait_until_idle()
    client.act("results_csv")
    rows = table(client)
    assert rows[-1]["bytes"] == str(client.session.report.size.bytes)
    assert Recipe.from_json(rows[-1]["recipe"]) == SMALL
    client.session.set_budget(60_000)
    client.act("chart_csv")
    points = [row["point"] for row in table(client)]
    assert points[0] == "original"
    assert points[-2:] == ["you", "goal"]
    assert [row["label"] for row in table(client) if row["point"] == "preset"][:1]
    assert (table(client)[-1]["bytes"], table(client)[-1]["accuracy"]) == ("60000", "")
    client.act("bytes_csv")
    assert sum(int(row["total"]) for row in table(client)) == client.session.report.size.bytes


@pytest.mark.slow
def test_the_page_does_not_import_torch():
    code = (
        "import sys, threading\n"
        "threading.Thread.start = lambda self: None\n"  # the worker imports torch
        "from workbench.panels import dashboard\n"
        "view = dashboard()\n"
        "sent = []\n"
        "view.send = lambda content, buffers=None: sent.append(content['kind'])\n"
        "view._on_message(view, {'act': 'hello', 'search': '', 'theme': 'light'}, [])\n"
        "assert sent == ['page', 'state', 'chart'], sent\n"
        "assert 'torch' not in sys.modules and 'plotly' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def query(recipe):
    return f"prune.sparsity={recipe.prune.sparsity}&quantize.bits={recipe.quantize.bits}"


def table(client):
    _name, mime, data = client.file()
    assert mime == "text/csv"
    return list(csv.DictReader(io.StringIO(data.decode())))


@pytest.mark.slow
def test_comparing_temperatures_on_the_page(client):
    client.wait_until_idle()
    section = client.last("page")["training"]
    client.act("tab", key="temperature")
    assert "note" in client.last("tab")
    client.act("sweep", values=section["values"] | {"teacher": ""}, seconds=1)
    assert "needs a teacher" in client.wait("banner", lambda banner: banner["text"])["text"]
    values = section["values"] | {"teacher": "fashion/lenet5", "start": "scratch"}
    client.act("sweep", values=values, seconds=1)
    figure = client.wait("tab", lambda tab: tab.get("figure"))["figure"]
    assert figure["layout"]["xaxis"]["type"] == "log"
    client.wait("progress", lambda task: task["text"] is None)
    train = client.session.sweep_result.outcomes[0].recipe.train
    client.act("tab", key="temperature")
    assert f"was trained for {train.steps} step" in client.last("tab")["foot"]
    client.act("temperature_csv")
    rows = table(client)
    assert {row["temperature"] for row in rows if row["temperature"]} >= {"1.0", "16.0"}


@pytest.mark.slow
def test_a_trained_recipe_is_in_the_results_and_can_be_restored(client):
    client.set_values(prune_sparsity=0.87)  # not trained, and so not cached, by another test
    client.wait_until_idle()
    section = client.last("page")["training"]
    client.act("tab", key="results")
    client.act("train", values=section["values"], seconds=1)
    trained = client.wait("tab", lambda tab: len(tab["table"]["rows"]) == 2)["table"]["rows"][0]
    assert "schedule one-cycle" in trained["cells"][0]
    assert "temperature" not in trained["cells"][0]  # it has no effect without a teacher
    client.wait_until_idle()
    client.act("tab", key="cost")
    cells = client.last("tab")["table"]["rows"][-1]["cells"]
    steps = f"{client.session.recipe.train.steps:,}".replace(",", "\u202f")
    assert "steps" in cells[-1]
    assert steps.replace("\u202f", "") in cells[-1].replace("\u202f", "").replace(",", "")
    client.act("undo")
    client.act("redo")
    client.act("tab", key="training")
    assert client.last("tab")["figure"]  # the learning curve is retained


def test_a_file_that_is_not_trained_yet_cannot_be_downloaded(client):
    client.wait_until_idle()
    section = client.last("page")["training"]
    client.act("train", values=section["values"], seconds=600)
    client.wait("state", lambda state: state["busy"])
    client.act("download")
    assert "not trained yet" in client.wait("banner", lambda banner: banner["text"])["text"]
    client.act("cancel")


@pytest.mark.slow
def test_a_page_that_is_built_during_training_has_numbers(client):
    client.wait_until_idle()
    client.act("train", values=client.last("page")["training"]["values"], steps=50_000)
    assert client.session.busy
    client.dashboard.publish(full=True)
    state = client.last("state")
    assert state["numbers"]["pending"]
    assert state["numbers"]["status"] == "measuring"
    client.dashboard.publish()
    assert client.last("state")["outdated"]  # what the page shows stays
    client.session.cancel()
