"""Learning from tables and texts in Python."""

from __future__ import annotations

import time

import numpy as np
import pytest

import workbench as wb
from tests.raises import raises
from workbench.cancel import CancelToken
from workbench.custom.learn import default_name
from workbench.custom.uploads import small_models
from workbench.custom.uploads.time_limit import train_within
from workbench.domain.training_plan import TrainingPlan
from workbench.errors import Cancelled

RNG = np.random.default_rng(0)


def rows(count=200):
    x = RNG.normal(size=(count, 2))
    return {"a": x[:, 0], "b": x[:, 1], "kind": np.where(x.sum(axis=1) > 0, "up", "down")}


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


def test_the_unit_of_the_target_is_part_of_the_model(monkeypatch):
    monkeypatch.setitem(small_models.STEPS, "custom", 30)
    table = {"x": np.arange(100.0), "y": 2.0 ** np.floor(np.arange(100.0) / 10)}
    small = wb.from_table(table, as_number=True, name="small")
    large = wb.from_table({**table, "y": 1024 * table["y"]}, as_number=True, name="small")
    assert small.digest != large.digest
    errors = [m.card["accuracy"]["test"]["root mean squared error"] for m in (small, large)]
    assert errors[1] == pytest.approx(1024 * errors[0], rel=1e-6)


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
    train_within(0.3, plan, 100, train, lambda _weights: 0.0, progress.append)
    assert 1 <= plans[-1].epochs < 100
    assert progress[-1] == 1
    train_within(60, TrainingPlan(2, 0.1, batch_size=10), 100, train, lambda _w: 0.0, lambda _: 0)
    assert plans[-1].epochs == 2
