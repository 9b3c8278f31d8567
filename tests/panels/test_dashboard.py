"""The page and the session agree, whichever of the two moves."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys

import pytest

from workbench.errors import WorkbenchError
from workbench.recipe import Prune, Quantize, Recipe
from workbench.recipe.presets import PRESETS

SMALL = Recipe(prune=Prune(sparsity=0.8), quantize=Quantize(bits=4))


def test_a_new_page_gets_everything_in_order(wire):
    kinds = [message["kind"] for message, _ in wire.view.sent]
    first = kinds.index("page")
    assert kinds[first : first + 3] == ["page", "state", "picture"]
    state = wire.view.sent[first + 1][0]
    assert state["values"]["prune.sparsity"] == 0
    assert state["values"]["quantize.bits"] == 32
    assert wire.last("page")["layers"] == list(wire.session.layers)


def test_moving_a_control_moves_the_session_and_is_answered(wire):
    wire.choose(prune_sparsity=0.8, quantize_bits=4)
    assert wire.session.recipe == SMALL
    state = wire.settled()
    report = wire.session.report
    assert state["seq"] == 1
    assert "values" not in state
    assert state["numbers"]["exact"]
    assert state["numbers"]["bytes"] == f"{report.size.bytes:,}\u202fbytes"
    assert wire.last("picture")["seq"] == 1


def test_moving_the_session_moves_the_controls(wire):
    wire.session.set(SMALL)
    assert wire.wait("state", lambda s: "values" in s)["values"]["prune.sparsity"] == 0.8
    wire.settled()
    wire.act("undo")
    assert wire.session.recipe == Recipe()
    assert wire.last("state")["values"]["quantize.bits"] == 32
    assert wire.last("state")["redo"]


def test_numbers_are_never_given_to_the_wrong_values(wire):
    wire.choose(prune_sparsity=0.5)
    wire.choose(prune_sparsity=0.9)
    wire.settled()
    for message, _ in wire.view.sent:
        if message["kind"] == "state" and not message["late"] and message["seq"] == 2:
            asked = message["numbers"]["facts"][0]["value"]
            assert asked in {"90.0\u202f%", "\u2013"}


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_presets(wire, preset):
    wire.act("preset", key=preset.name)
    assert wire.session.recipe == preset.recipe


def test_visited_points_come_back(wire):
    wire.choose(prune_sparsity=0.8, quantize_bits=4)
    wire.settled()
    wire.act("reset")
    wire.settled()
    key = [visit.recipe for visit in wire.session.visited].index(SMALL)
    assert key in wire.last("picture")["figure"]["data"][1]["customdata"]
    wire.act("visit", key=key)
    assert wire.session.recipe == SMALL
    wire.act("visit", key=99)
    wire.act("visit", key="../../etc")
    assert wire.session.recipe == SMALL


def test_limits_are_shaded_and_hostile_ones_ignored(wire):
    wire.act("budget", value=50_000)
    wire.act("floor", value=0.85)
    assert (wire.session.budget, wire.session.floor) == (50_000, 0.85)
    wire.wait("picture", lambda told: len(told["figure"]["layout"]["annotations"]) == 2)
    for nonsense in (-5, "x", None, float("nan"), True):
        wire.act("budget", value=nonsense)
        assert wire.session.budget is None


def test_only_the_open_tab_is_sent(wire):
    wire.settled()
    assert wire.last("tab") is None
    wire.act("tab", key="results")
    assert not wire.last("tab")["table"]["rows"]
    wire.act("tab", key=None)
    sent = len(wire.view.sent)
    wire.choose(prune_sparsity=0.3)
    wire.settled()
    assert not [m for m, _ in wire.view.sent[sent:] if m["kind"] == "tab"]
    wire.act("tab", key="results")
    assert len(wire.last("tab")["table"]["rows"]) == 1


def test_another_model_brings_its_own_layers(wire):
    wire.act("model", key="fashion/lenet5")
    assert wire.session.model.name == "fashion/lenet5"
    assert wire.wait("page")["layers"] == list(wire.session.layers)


def test_a_link_is_restored(wire):
    wire.act("hello", search=f"?m=fashion/lenet-300-100&{query(SMALL)}", theme="light")
    assert wire.session.recipe == SMALL
    assert wire.last("state")["values"]["prune.sparsity"] == 0.8


@pytest.mark.parametrize(
    "search", ["?prune.sparsity=7", "?nonsense=1", "?m=<script>", "?quantize.bits=", "?%00"]
)
def test_a_bad_link_is_said_and_the_default_opens(wire, search):
    wire.act("hello", search=search, theme="light")
    state = wire.last("state")
    assert state["error"].startswith("This link does not work")
    assert wire.session.recipe == Recipe()


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
def test_bad_values_are_said_and_change_nothing(wire, values):
    wire.raw(values)
    assert wire.last("tell")["text"]
    assert wire.session.recipe == Recipe()


def test_an_unforeseen_error_is_one_sentence_and_a_trace_on_standard_error(
    wire, capfd, monkeypatch
):
    wire.settled()
    monkeypatch.setattr(sys, "__stderr__", sys.stderr)
    monkeypatch.setattr(wire.session, "reset", lambda: 1 / 0)
    wire.act("reset")
    assert "ZeroDivisionError" in wire.last("tell")["text"]
    assert "Traceback" not in wire.last("tell")["text"]
    assert "Traceback" in capfd.readouterr().err


def test_a_failed_measurement_leaves_the_last_result_marked_stale(wire, monkeypatch):
    before = wire.settled()["numbers"]["bytes"]

    def refuse(*_args, **_more):
        raise WorkbenchError("There is no room.")

    monkeypatch.setattr("workbench.evaluation.measure.compress", refuse)
    wire.choose(prune_sparsity=0.77)
    state = wire.wait("state", lambda s: s["error"])
    assert state["error"] == "There is no room."
    assert state["stale"]
    assert state["numbers"]["bytes"] == before


def test_the_download_is_the_file_on_the_screen(wire):
    wire.choose(prune_sparsity=0.8, quantize_bits=4)
    shown = wire.settled()["numbers"]["bytes"]
    wire.act("download")
    name, mime, data = wire.file()
    assert name == "fashion-lenet-300-100-prune-0.8-quantize-4.safetensors"
    assert mime == "application/octet-stream"
    assert f"{len(data):,}\u202fbytes" == shown
    assert "10,000 test images" in wire.wait("tested")["text"]


def test_what_it_takes_to_run_is_timed_when_asked(wire):
    wire.choose(prune_sparsity=0.5)
    wire.settled()
    wire.act("tab", key="cost")
    before = {row["cells"][0]: row["cells"][1:] for row in wire.last("tab")["table"]["rows"]}
    assert before["multiply-adds of one example"] == ["266,200", "266,200"]
    assert before["one example, batch of 1"] == ["…", "…"]
    wire.act("timing")
    timed = wire.wait("tab", lambda tab: "…" not in tab["table"]["rows"][2]["cells"])
    for name, *both in (row["cells"] for row in timed["table"]["rows"][2:4]):
        assert "batch" in name
        for cell in both:
            low, high = re.findall(r"([\d.]+)\u202fms", cell)[1:]
            assert 0 < float(low) <= float(high)
    assert wire.wait("task", lambda task: task["text"] is None)
    wire.choose(prune_sparsity=0.6)  # another file has not been timed
    wire.settled()
    assert "…" in wire.last("tab")["table"]["rows"][2]["cells"]


def test_training_on_the_page(wire):
    wire.choose(prune_sparsity=0.9)
    wire.settled()
    before = wire.session.report.accuracy
    section = wire.last("page")["training"]
    assert {field["key"] for field in section["front"]} == {"teacher", "temperature", "mix"}
    teachers = [choice["value"] for choice in section["front"][0]["choices"]]
    assert teachers[:2] == ["", "self"]
    assert "fashion/resnet" in teachers
    wire.act("tab", key="training")
    assert "note" in wire.last("tab")
    wire.act("train", values=section["values"] | {"teacher": "self"}, seconds=1)
    wire.wait("tab", lambda tab: tab.get("figure"))
    wire.settled()
    assert wire.session.recipe.train.teacher == "self"
    assert wire.session.report.accuracy > before
    figure = wire.last("tab")["figure"]
    assert figure["data"][0]["x"][-1] == wire.session.recipe.train.steps
    wire.act("training_csv")
    assert [int(row["step"]) for row in table(wire)][-1] == wire.session.recipe.train.steps
    wire.choose(prune_sparsity=0.5)  # a slider asks for the untrained file
    wire.settled()
    assert wire.session.recipe == Recipe(prune=Prune(0.5))
    trained = next(t for t in wire.last("picture")["figure"]["data"] if t.get("name") == "visited")
    assert trained["marker"]["symbol"].count("triangle-up") == 1


@pytest.mark.parametrize(
    "asked",
    [
        {"values": {}, "seconds": 0},
        {"values": {}, "seconds": 1e9},
        {"values": None, "seconds": 5},
        {"values": {"temperature": 0}, "seconds": 5},
        {"values": {"steps": 5}, "seconds": 5},
        {"values": {"teacher": "nobody"}, "seconds": 5},
        {},
    ],
)
def test_training_that_cannot_be_is_a_sentence(wire, asked):
    wire.settled()
    wire.act("train", **asked)
    assert wire.last("tell")["text"].endswith(".")
    assert wire.session.recipe == Recipe()


def test_the_teacher_softens_at_once(wire):
    wire.settled()
    wire.act("tab", key="teacher")
    assert "note" in wire.last("tab")
    wire.act("soften", teacher="fashion/lenet5", temperature=2)
    first = wire.wait("tab", lambda tab: tab.get("figure"))["figure"]["data"][0]["x"]
    wire.act("soften", teacher="fashion/lenet5", temperature=20)
    second = wire.last("tab")["figure"]["data"][0]["x"]  # without waiting
    assert max(second) < max(first)
    assert sum(first) == pytest.approx(1)
    wire.act("teacher_csv")
    assert [float(row["probability"]) for row in table(wire)] == pytest.approx(second)
    wire.act("soften", teacher="fashion/lenet5", temperature=0)
    assert "above 0" in wire.last("tell")["text"]


def test_tables_are_csv(wire):
    wire.choose(prune_sparsity=0.8, quantize_bits=4)
    wire.settled()
    wire.act("results_csv")
    rows = table(wire)
    assert rows[-1]["bytes"] == str(wire.session.report.size.bytes)
    assert Recipe.from_json(rows[-1]["recipe"]) == SMALL
    wire.act("picture_csv")
    assert table(wire)[0]["point"] == "original"
    wire.act("bytes_csv")
    assert sum(int(row["total"]) for row in table(wire)) == wire.session.report.size.bytes


def test_the_page_is_there_before_torch_is():
    code = (
        "import sys, threading\n"
        "threading.Thread.start = lambda self: None\n"  # the worker loads torch; the page must not
        "from workbench.panels import dashboard\n"
        "view = dashboard()\n"
        "sent = []\n"
        "view.send = lambda content, buffers=None: sent.append(content['kind'])\n"
        "view._on_message(view, {'act': 'hello', 'search': '', 'theme': 'light'}, [])\n"
        "assert sent == ['page', 'state', 'picture'], sent\n"
        "assert 'torch' not in sys.modules and 'plotly' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def query(recipe):
    return f"prune.sparsity={recipe.prune.sparsity}&quantize.bits={recipe.quantize.bits}"


def table(wire):
    _name, mime, data = wire.file()
    assert mime == "text/csv"
    return list(csv.DictReader(io.StringIO(data.decode())))


def test_a_row_of_temperatures_on_the_page(wire):
    wire.settled()
    section = wire.last("page")["training"]
    wire.act("tab", key="temperature")
    assert "note" in wire.last("tab")
    wire.act("sweep", values=section["values"] | {"teacher": ""}, seconds=1)
    assert "needs a teacher" in wire.wait("tell", lambda told: told["text"])["text"]
    asked = section["values"] | {"teacher": "fashion/lenet5", "start": "scratch"}
    wire.act("sweep", values=asked, seconds=1)
    figure = wire.wait("tab", lambda tab: tab.get("figure"))["figure"]
    assert figure["layout"]["xaxis"]["type"] == "log"
    wire.wait("task", lambda task: task["text"] is None)
    wire.act("temperature_csv")
    rows = table(wire)
    assert {row["temperature"] for row in rows if row["temperature"]} >= {"1.0", "16.0"}


def test_what_was_trained_is_in_the_results_and_can_be_had(wire):
    wire.choose(prune_sparsity=0.9)
    wire.settled()
    section = wire.last("page")["training"]
    wire.act("tab", key="results")
    wire.act("train", values=section["values"], seconds=1)
    trained = wire.wait("tab", lambda tab: len(tab["table"]["rows"]) == 2)["table"]["rows"][0]
    assert "self" in trained["cells"][0]
    wire.settled()
    wire.act("tab", key="cost")
    cells = wire.last("tab")["table"]["rows"][-1]["cells"]
    steps = f"{wire.session.recipe.train.steps:,}".replace(",", "\u202f")
    assert "steps" in cells[-1]
    assert steps.replace("\u202f", "") in cells[-1].replace("\u202f", "").replace(",", "")
    wire.act("undo")
    wire.act("redo")
    wire.act("tab", key="training")
    assert wire.last("tab")["figure"]  # the course is still known


def test_an_untrained_file_is_not_handed_out(wire):
    wire.settled()
    section = wire.last("page")["training"]
    wire.act("train", values=section["values"], seconds=600)
    wire.wait("state", lambda state: state["busy"])
    wire.act("download")
    assert "not trained yet" in wire.wait("tell", lambda told: told["text"])["text"]
    wire.act("cancel")
