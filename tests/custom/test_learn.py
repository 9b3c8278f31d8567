"""Learning from tables and texts in Python."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest

import workbench as wb
from tests.raises import raises
from workbench.cancel import CancelToken
from workbench.custom.learn import default_name
from workbench.custom.uploads import small_models, time_limit
from workbench.custom.uploads.time_limit import train_within
from workbench.domain.training_plan import TrainingPlan
from workbench.errors import Cancelled

RNG = np.random.default_rng(0)


def rows(count=200):
    x = RNG.normal(size=(count, 2))
    return {"a": x[:, 0], "b": x[:, 1], "kind": np.where(x.sum(axis=1) > 0, "up", "down")}


@pytest.mark.slow
def test_a_table_becomes_a_model_like_any_other(monkeypatch):
    monkeypatch.setitem(small_models.STEPS, "custom", 300)
    model = wb.from_table(rows(), name="kinds")
    assert wb.model("custom/kinds") is model
    assert model.task.classes == ("down", "up")
    assert model.accuracy("test") > 0.8
    again = wb.from_table(rows(), name="other")
    assert again.digest != model.digest
    report = wb.measure(model, wb.Recipe(quantize=wb.Quantize(4)), timed=False)
    assert wb.honest_figures(model, report).better
    changed = wb.compare(model, wb.Recipe(quantize=wb.Quantize(2)), split="test")
    for row in changed.rows():
        assert row["kind"] == row["label"]
        assert {"line", "a", "b"} <= set(row)


@pytest.mark.slow
def test_the_unit_of_the_target_is_part_of_the_model(monkeypatch):
    monkeypatch.setitem(small_models.STEPS, "custom", 30)
    table = {"x": np.arange(100.0), "y": 2.0 ** np.floor(np.arange(100.0) / 10)}
    small = wb.from_table(table, as_number=True, name="small")
    large = wb.from_table({**table, "y": 1024 * table["y"]}, as_number=True, name="small")
    assert small.digest != large.digest
    errors = [m.card["accuracy"]["test"]["root mean squared error"] for m in (small, large)]
    assert errors[1] == pytest.approx(1024 * errors[0], rel=1e-6)


@pytest.mark.slow
def test_texts_are_learned_from_words():
    texts = [f"{word} {n} times" for n in range(60) for word in ("good", "bad")]
    model = wb.from_text(texts, ["positive", "negative"] * 60, seconds=5)
    assert model.name == "custom/texts"
    assert model.accuracy("test") == 1


def test_names_of_models_come_from_files():
    assert default_name("data/Telco churn (1).csv.gz") == "Telco-churn-1"
    assert default_name(b"a,b") == default_name({"a": [1]}) == "table"


def test_bad_arguments_are_refused():
    with raises("training.seconds", "-1"):
        wb.from_table(rows(), seconds=-1)
    with raises("name.invalid", "a/b"):
        wb.from_table(rows(), name="a/b")
    with raises("table.unknown_column", "c"):
        wb.from_table(rows(), leave_out=["c"])
    with raises("upload.no_features"):
        wb.from_table(rows(), leave_out=["a", "b"])


def test_a_cancelled_training_registers_nothing():
    cancel = CancelToken(on_progress=lambda _fraction: cancel.cancel())
    with pytest.raises(Cancelled):
        wb.from_table(rows(), name="never", cancel=cancel)
    assert "custom/never" not in wb.models()


def test_the_limit_on_seconds_shortens_the_plan():
    plans, progress = [], []

    def train(plan, validate, step):
        plans.append(plan)
        for epoch in range(plan.epochs):
            for number in range(10):
                time.sleep(0.001)
                step((10 * epoch + number + 1) / (10 * plan.epochs))
            validate({})
        return {}

    plan = TrainingPlan(epochs=10_000, learning_rate=0.1, batch_size=10)
    _weights, epochs = train_within(0.3, plan, 100, train, lambda _weights: 0.0, progress.append)
    assert 1 <= epochs <= plans[-1].epochs < 100
    assert 5 <= 1 / (1 - plans[-1].average) < 100
    assert progress[-1] == 1
    short = TrainingPlan(2, 0.1, batch_size=10)
    assert train_within(60, short, 100, train, lambda _w: 0.0, lambda _: 0) == ({}, 2)
    assert plans[-1] == short


def clock(monkeypatch):
    """Return a clock that only moves when it is told to."""
    now = [0.0]
    monkeypatch.setattr(time_limit.time, "perf_counter", lambda: now[0])
    return now


@pytest.mark.parametrize(
    ("before", "per_step", "seconds", "expected"),
    [
        (60, 0.001, 1, (80, 90)),  # loading takes longer than the limit
        (0, 0.01, 1, 30),  # a few passes, for 2 s more
        (0, 0.1, 1, 3),  # as many as are cheap
        (0, 1, 1, 1),
        (0, 0.001, 60, 100),
    ],
)
def test_few_passes_are_made_in_any_case(monkeypatch, before, per_step, seconds, expected):
    now, imports = clock(monkeypatch), [before]

    def train(plan, validate, step):
        now[0] += imports.pop() if imports else 0
        for epoch in range(plan.epochs):
            for number in range(10):
                now[0] += per_step
                step((10 * epoch + number + 1) / (10 * plan.epochs))
            validate({})
        return {}

    plan = TrainingPlan(epochs=100, learning_rate=0.1, batch_size=10)
    _weights, epochs = train_within(seconds, plan, 100, train, lambda _w: 0.0, lambda _: None)
    low, high = expected if isinstance(expected, tuple) else (expected, expected)
    assert low <= epochs <= high


def test_a_run_that_becomes_slow_stops(monkeypatch):
    now = clock(monkeypatch)
    runs = []

    def train(plan, validate, step):
        runs.append(plan)
        for epoch in range(plan.epochs):
            for number in range(10):
                now[0] += 0.001 if len(runs) == 1 else 0.1
                step((10 * epoch + number + 1) / (10 * plan.epochs))
            validate({})
        return {}

    plan = TrainingPlan(epochs=100, learning_rate=0.1, batch_size=10)
    _weights, epochs = train_within(1, plan, 100, train, lambda _w: 0.0, lambda _: None)
    assert epochs == 3


@pytest.mark.slow
def test_a_training_that_was_cut_says_so(monkeypatch):
    monkeypatch.setattr(time_limit, "LEAST_STEPS", 30)
    model = wb.from_table(rows(), name="cut", seconds=0.01)
    (note,) = model.notes
    assert re.match(
        r"Training stopped after \d+ of 100 epochs, because of the limit of 0.01 s", note
    )
    assert note in repr(model)
    monkeypatch.setitem(small_models.STEPS, "custom", 30)
    assert wb.from_table(rows(), name="whole", seconds=60).notes == ()
    assert wb.from_table(rows(), name="whole").notes == ()


@pytest.mark.slow
def test_a_short_training_on_few_rows_learns():
    model = wb.from_table(rows(344), name="short", seconds=0.01)
    assert model.notes
    assert model.accuracy("test") > 0.8
