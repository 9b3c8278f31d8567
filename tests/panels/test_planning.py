"""The page Plan: its controls, answers and tabs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import workbench as wb
from workbench.panels.plan_tabs import chips_tab, rows_tab
from workbench.planner.calibration_file import write_chip
from workbench.planner.chips import chips
from workbench.planner.models import known_models
from workbench.planner.selection import BITS, PlanSelection
from workbench.plots import plan as plan_picture
from workbench.plots.palette import LIGHT

TABS = ("plan_memory", "plan_chips", "plan_rows", "plan_compared")


def plan(client, **values):
    client.act("plan", **({"values": values} if values else {}))
    return client.last("plan")


def open_file(client, text):
    client.act("plan", file={"name": "mine.json", "text": text})


def test_the_page_gets_its_controls_when_it_opens(client):
    message = plan(client)
    assert {field["key"] for field in message["fields"]} == message["values"].keys()
    for field in message["fields"]:
        chosen = message["values"][field["key"]]
        if "choices" not in field:
            assert field["low"] <= chosen <= field["high"]
            continue
        assert chosen in [choice["value"] for choice in field["choices"]]
    assert message["fits"]["tone"] == "good"


def test_a_change_is_answered_at_once_and_without_the_controls(client):
    before = plan(client)
    after = plan(client, batch=128)
    assert "fields" not in after
    assert after["numbers"] != before["numbers"]
    assert client.session.focus.plan.batch == 128


def test_every_number_says_that_it_is_predicted_with_an_interval(client):
    for values in ({"price": 2.5}, {"mode": "train", "chip": "h200"}):
        numbers = plan(client, **values)["numbers"]
        assert len(numbers) >= 4
        for number in numbers:
            assert "predicted" in number["label"]
            assert " to " in number["label"] or "±" in number["label"]


def test_the_table_of_chips_the_answer_and_the_card_show_the_same_memory(client):
    numbers = plan(client)["numbers"]
    (row,) = [r for r in chips_tab(client.session, LIGHT)["table"]["rows"] if r["selected"]]
    used, *_rest = numbers[0]["value"].split()
    assert row["cells"][2] == used
    card = plan_picture.card(client.session.focus.plan.plan())
    assert f"{used} GiB" in [value for value, _label in card.facts]


def test_money_is_that_of_the_chips(client):
    assert not [n for n in plan(client)["numbers"] if "price" in n["label"]]
    shown = plan(client, price=3.6)["numbers"][-1]
    planned = client.session.focus.plan.plan()
    assert float(shown["value"]) == pytest.approx(1000 / planned.tokens_per_s, rel=0.01)
    plan(client, mode="train", chip="h200", tokens=10**9)
    shown = plan(client, price=0.01)["numbers"][-1]
    total = client.session.focus.plan.plan().costs_as_dict(1e9, 0.01)
    assert float(shown["value"]) == pytest.approx(total["money"], rel=0.01)


def test_each_task_returns_with_its_own_sizes(client):
    plan(client, batch=64, length=512, precision="int4")
    plan(client, mode="train")
    assert plan(client, batch=2)["values"]["precision"] == "bf16"
    values = plan(client, mode="infer")["values"]
    assert (values["batch"], values["length"], values["precision"]) == (64, 512, "int4")
    assert plan(client, mode="train")["values"]["batch"] == 2


def test_training_has_other_controls(client):
    message = plan(client, mode="train")
    keys = {field["key"]: field for field in message["fields"]}
    assert "checkpointing" not in message["hidden"]
    bits = [choice["value"] for choice in keys["precision"]["choices"]]
    assert bits == list(BITS["train"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "values",
    [
        {"price": -1},
        {"price": True},
        {"price": "2"},
        {"tokens": 5},
        {"batch": 3},
        {"chip": "h900"},
        {"model": None},
        {"length": [512]},
        {"nothing": 1},
        {1: 2},
    ],
)
def test_invalid_values_change_nothing(client, values):
    client.act("plan", values=values)
    shown = client.session.focus.plan
    assert shown == replace(PlanSelection(), file_bits=shown.file_bits)


def test_a_plan_that_is_not_possible_says_why(client):
    client.wait_until_idle()
    message = plan(client, chip="edge-tpu")
    assert message["numbers"] == []
    assert "Edge TPU" in message["sentences"][0]
    for key in TABS:
        client.act("tab", key=key)
        assert client.last("tab")["key"] == key


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["infer", "train"])
@pytest.mark.parametrize("key", TABS)
def test_every_tab_follows_the_selection(client, key, mode):
    client.wait_until_idle()
    client.act("page", key="plan")
    client.act("tab", key=key)
    plan(client, mode=mode, chips=8)
    content = client.last("tab")
    assert content["key"] == key
    assert content.get("figure") or content["table"]["rows"]


@pytest.mark.parametrize("key", TABS)
def test_every_tab_can_be_saved(client, key):
    client.act(f"{key}_csv")
    message, buffers = client.dashboard.sent[-1]
    assert message["kind"] == "file"
    assert len(buffers[0].splitlines()) > 2


def test_the_compared_rows_can_be_chosen(client):
    client.wait_until_idle()
    client.act("page", key="plan")
    client.act("tab", key="plan_compared")
    client.act("focus", key="compared", value="energy")
    assert client.session.focus.plan.compared == "energy"
    assert "energy" in client.last("tab")["figure"]["layout"]["title"]["text"]


def test_a_large_model_can_be_compressed_like_the_open_file(client):
    client.wait_until_idle()
    client.set_values(quantize_bits=4)
    client.wait_until_idle()
    message = plan(client, precision="file")
    bits = client.session.focus.plan.file_bits
    assert 2 < bits < 4.5  # with entropy coding
    assert client.session.focus.plan.plan().memory.weights < 0.4 * 16.1e9
    assert any("open file" in text for text in message["sentences"])


def test_the_page_learns_of_another_file_as_soon_as_it_is_created(client):
    client.wait_until_idle()
    before = client.last("state")["file"]
    client.set_values(quantize_bits=3)
    after = client.wait_until_idle()["file"]
    assert (before, after) != (None, before)
    assert after == client.session.report.size.digest
    client.act("undo")
    assert client.wait_until_idle()["file"] == before


def test_a_configuration_of_the_user_can_be_planned(client):
    config = {**known_models()["llama-3.2-1b"].config, "num_hidden_layers": 4}
    open_file(client, json.dumps(config))
    message = client.last("plan")
    assert message["values"]["model"] == "opened"
    assert "opened" in [choice["value"] for choice in message["fields"][1]["choices"]]
    assert client.session.focus.plan.architecture().layers == 4
    plan(client, model="gpt2")
    assert plan(client, model="opened")["values"]["model"] == "opened"


def test_a_calibration_of_the_user_can_be_planned_with(client, tmp_path):
    row = {"config": "gpt2", "batch": 16, "context": 512}
    fast = wb.plan(chip_id="b200", **row).as_dict()["decode_ms"]
    write_chip(wb.calibrate_chip("b200", [row | {"decode_ms": 3 * fast}]), tmp_path / "chip.json")
    open_file(client, "{}")
    open_file(client, (tmp_path / "chip.json").read_text())
    assert client.last("plan")["refused"] == ""
    message = client.last("plan")
    assert message["values"]["chip"] == "opened"
    assert "opened" in [choice["value"] for choice in message["fields"][2]["choices"]]
    opened = plan(client, model="gpt2", length=512)
    assert client.session.focus.plan.plan().decode.total == pytest.approx(3 * fast / 1000)
    assert not any("Not calibrated" in text for text in opened["sentences"])
    assert any("Not calibrated" in text for text in plan(client, chip="b200")["sentences"])
    table = chips_tab(client.session, LIGHT)["table"]
    assert [row["selected"] for row in table["rows"]].count(True) == 1


@pytest.mark.parametrize(
    "text",
    [
        None,
        " " * (2**22 + 1),
        "",
        "[]",
        "{}",
        '{"model_type": "bert"}',
        "{" * 10_000,
        '{"calibration_of": "b200"}',
        "1",
    ],
)
def test_a_bad_configuration_is_reported_and_changes_nothing(client, text):
    before = client.session.focus.plan
    open_file(client, text)
    assert client.last("plan")["refused"]
    assert client.session.focus.plan.model == before.model
    assert client.session.focus.plan.chip == before.chip


def test_a_change_changes_the_address(client):
    plan(client, chip="h200")
    assert "plan.chip=h200" in client.last("state")["query"]
    plan(client, chip="h100-sxm")
    assert "plan." not in client.last("state")["query"]


def test_the_measured_rows_name_chips_by_their_titles(client):
    plan(client, mode="train", chip="h200")
    table = rows_tab(client.session, LIGHT)["table"]
    names = [row["cells"][0] for row in table["rows"]]
    assert names
    assert not any(key in name.split(": ")[0] for name in names for key in chips())
