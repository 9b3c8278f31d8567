"""The page Parallel: it trains on processes, live, and shows what they measured."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

import workbench as wb
from tests.raises import raises
from workbench.panels import parallel, parallel_tabs
from workbench.parallel.plan import Plan
from workbench.parallel.pool import pool
from workbench.plots.palette import LIGHT

pytestmark = pytest.mark.slow
FAST = {"steps": 4, "batch": 16}


@pytest.fixture(autouse=True)
def _end_pool():
    yield
    pool().close()


def start(client, **changes):
    client.session.choose_model("fashion/mlp-32")
    client.act("page", key="parallel")
    client.act("tab", key="parallel_weights")
    client.act("train_in_parallel", values={**parallel.DEFAULTS, **FAST, **changes})


def tab(client, key):
    client.act("tab", key=key)
    return client.wait("tab", lambda message: message["key"] == key and "figure" in message)


@pytest.mark.parametrize(
    ("run", "says"),
    [
        (None, ["Nothing runs yet.", "press the button"]),
        (SimpleNamespace(running=False, stopped=True), ["press the button"]),
        (SimpleNamespace(running=False, stopped=False, error="No."), ["press the button"]),
        (SimpleNamespace(running=True, waiting=True, completed=0.0), []),
    ],
)
def test_a_picture_without_a_point_says_how_to_get_one(run, says):
    if run is not None:
        run.records = []
    note = parallel_tabs.weights_tab(SimpleNamespace(parallel=run), LIGHT)["note"]
    assert all(text in note for text in says)
    assert bool(note) == bool(says)


def test_a_run_is_live_and_fills_its_three_pictures(client):
    start(client)
    state = client.wait("state", lambda state: state["parallel"]["facts"])
    lines = [
        message["activity"]["text"]
        for message, _ in client.dashboard.sent
        if message["kind"] == "tab" and message.get("activity")
    ]
    assert any("2 ranks" in line for line in lines)
    assert "equal" in [fact["value"] for fact in state["parallel"]["facts"]]
    assert len(tab(client, "parallel_weights")["figure"]["data"]) == 2
    assert len(tab(client, "parallel_bytes")["figure"]["data"]) == 4
    clock = tab(client, "parallel_timeline")
    client.act("focus", key="replay", value=True)
    replayed = client.wait("tab", lambda message: message["controls"][0]["value"] is True)
    assert replayed["figure"]["layout"]["title"] != clock["figure"]["layout"]["title"]
    query, result = client.session.query(), client.session.parallel.result
    client.session.choose_model("fashion/cnn-10k")
    assert client.session.parallel is None
    assert "parallel" not in client.session.query()

    client.session.restore(query)  # as after a reload: the results are kept
    assert client.session.parallel.result == result
    assert parallel.live(client.session)["facts"] == state["parallel"]["facts"]
    values = parallel.section(client.session)["values"]
    assert values == {**parallel.DEFAULTS, **FAST}
    assert client.session.query() == query

    client.session.restore("m=fashion/mlp-32&parallel=0")
    assert "are not kept here" in client.session.parallel.error


def test_a_run_can_be_cancelled(client):
    start(client, steps=300)
    client.wait("tab", lambda message: "figure" in message)
    ids = pool().process_ids
    client.act("cancel")
    client.wait("tab", lambda m: m.get("activity") and m["activity"]["tone"] == "stopped")
    assert ids
    assert pool().process_ids == ()


def test_a_refusal_is_shown_with_its_reason(client):
    start(client, strategy="pipeline", ranks=4)
    message = client.wait("tab", lambda m: m.get("activity") and m["activity"]["tone"] == "failed")
    assert "4 layers" in message["activity"]["text"]


def test_an_unexpected_error_ends_the_run(client, monkeypatch):
    def fail(*_arguments, **_options):
        raise RuntimeError("no memory")

    monkeypatch.setattr("workbench.parallel.train.train_in_parallel", fail)
    start(client)
    message = client.wait("tab", lambda m: m.get("activity") and m["activity"]["tone"] == "failed")
    assert "unexpected error" in message["activity"]["text"]
    assert "RuntimeError" in client.wait("banner")["text"]
    assert not client.session.parallel.running


def test_results_stay_while_another_page_selects_a_student(client):
    start(client)
    client.wait("state", lambda state: state["parallel"]["facts"])
    finished = client.session.parallel
    client.act("page", key="compress")
    client.session.distill(wb.student("fashion/mlp-32.resnet.t4.labels5"))
    client.act("page", key="parallel")
    assert client.session.parallel is finished
    assert client.last("state")["parallel"]["facts"]


def test_fields_of_the_section_are_those_of_a_plan(client):
    section = parallel.section(client.session)
    fields = [*section["main"], *(f for group in section["groups"] for f in group["fields"])]
    assert {field["key"] for field in fields} | {"batch_norm"} == set(parallel.DEFAULTS)
    for field in fields:
        for choice in field["choices"]:
            values = {**parallel.DEFAULTS, "batch": 64, field["key"]: choice["value"]}
            settings, repeats = parallel.settings(values)
            assert isinstance(Plan.of(settings), Plan)
            assert repeats == 1
    json.dumps(section)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"speed": 1}, "parallel.unknown_setting"),
        ({"repeats": 0}, "parallel.out_of_range"),
        ({"repeats": "5"}, "parallel.out_of_range"),
        ({"ranks": 99}, "parallel.out_of_range"),
        ({"steps": None}, "parallel.out_of_range"),
        ({"strategy": "<b>"}, "parallel.unknown_choice"),
    ],
)
def test_values_from_the_browser_are_checked(values, code):
    with raises(code):
        parallel.settings({**parallel.DEFAULTS, **values})


def test_uneven_shards_add_up_and_rank_0_has_the_most():
    for ranks in (2, 3, 4):
        settings, _repeats = parallel.settings(
            {**parallel.DEFAULTS, "ranks": ranks, "split": "uneven", "batch": 37}
        )
        shards = settings["shards"]
        assert sum(shards) == 37
        assert shards[0] > 2 * shards[1]
    alone, _repeats = parallel.settings({**parallel.DEFAULTS, "ranks": 1, "split": "uneven"})
    assert "shards" not in alone
