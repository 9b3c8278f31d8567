"""The recommendation: it meets the limits and equals its file, or says by how much it does not."""

from __future__ import annotations

import json
import re
import shlex
import sys
import time
from errno import ENOSPC
from importlib.metadata import version
from os import strerror
from pathlib import Path

import pytest
import torch
from torch import nn

import workbench as wb
from tests.raises import raises
from workbench.artifact.artifact import Artifact
from workbench.cancel import CancelToken
from workbench.cli import main
from workbench.errors import Cancelled, FileError
from workbench.evaluation.uncompressed_file import uncompressed_bytes
from workbench.study import limited_search, measurement, speed
from workbench.study.candidates import first_recipes, is_within, narrowed_space, space_of
from workbench.study.goal import Goal
from workbench.study.optimize import optimize
from workbench.study.samplers.directed import directed
from workbench.study.trial import Cost

pytestmark = pytest.mark.usefixtures("fresh")


@pytest.mark.slow
@pytest.mark.parametrize(
    "limits",
    [
        {"max_bytes": 20_000},
        {"min_accuracy": 0.8},
        {"max_bytes": 30_000, "min_accuracy": 0.8},
        {},
    ],
    ids=str,
)
def test_a_recommendation_meets_the_limits(tiny, limits, processor_time):
    result = optimize(tiny, seconds=2, **limits)
    assert result.met
    assert 1 <= len(result.choices) <= 3
    report = wb.evaluate(result.artifact, timed=False)
    assert (report.bytes, report.value) == (result.best.bytes, result.best.value)
    for choice in result.choices:
        assert choice.bytes <= limits.get("max_bytes", tiny.original_bytes)
        assert choice.accuracy >= limits.get("min_accuracy", 0)
    if not limits:
        assert result.best.value >= tiny.metric_value("validation") - 0.01
    assert set(result.choices) <= set(result.result.trials)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limits", "facts"),
    [
        ({"max_bytes": 100}, ("100",)),
        ({"min_accuracy": 0.99, "max_bytes": 30_000}, ("99.00", "30,000", "original itself")),
    ],
    ids=str,
)
def test_limits_that_no_recipe_meets(tiny, limits, facts, processor_time):
    result = optimize(tiny, seconds=2, **limits)
    assert not result.met
    assert result.violations
    text = " ".join(result.reasons)
    assert all(fact in text for fact in facts), text


def test_without_limits_a_loss_above_1_point_is_named(tiny):
    goal = Goal.of(tiny, None, None, None)
    worse = measurement.measure_trial(tiny, measurement.Job(wb.Recipe(wb.Quantize(2))))
    assert worse.value < tiny.metric_value("validation") - 0.01
    assert not goal.meets(worse)
    assert f"{worse.value:.1%}".rstrip("%") in goal.violations(worse)[0]


def test_a_file_that_is_not_smaller_is_called_so():
    inputs = torch.randn(90, 4)
    module = nn.Linear(4, 2).eval()
    labels = module(inputs).argmax(dim=1)
    parts = {"train": slice(0, 30), "validation": slice(30, 60), "test": slice(60, None)}
    data = {name: (inputs[part], labels[part]) for name, part in parts.items()}
    model = wb.from_module(module, **data, name="minute")
    result = optimize(model, max_bytes=5000, seconds=0.01)
    assert result.best.bytes > model.original_bytes
    assert (
        f"not smaller than the uncompressed file of the original, {uncompressed_bytes(model)}"
        in result.reasons[0]
    )


@pytest.mark.parametrize("limits", [{"max_bytes": 20}, {"min_accuracy": 0.5}], ids=str)
def test_the_original_is_recommended_if_every_recipe_enlarges_its_file(limits):
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.factors = nn.Parameter(torch.ones(12))

        def forward(self, inputs):
            return (inputs * self.factors).view(-1, 3, 4).sum(2)

    torch.manual_seed(0)
    inputs, module = torch.randn(90, 12), Scaled().eval()
    labels = module(inputs).argmax(dim=1)
    parts = {"train": slice(0, 30), "validation": slice(30, 60), "test": slice(60, None)}
    data = {name: (inputs[part], labels[part]) for name, part in parts.items()}
    model = wb.from_module(module, **data, name="vector")
    result = optimize(model, seconds=0.01, **limits)
    assert result.recipe == wb.Recipe()
    assert result.best.bytes == len(wb.compress(model, wb.Recipe()))
    assert result.met is ("max_bytes" not in limits)


@pytest.mark.parametrize(
    ("seconds", "helps"), [(0.01, True), (300, False)], ids=["out of time", "complete"]
)
def test_advice_names_what_can_help(tiny, monkeypatch, seconds, helps, processor_time):
    monkeypatch.setattr("workbench.study.limited_search.MIN_TUNING_SECONDS", 1000)
    updates = []
    result = optimize(tiny, max_bytes=100, seconds=seconds, on_update=updates.append)
    text = " ".join(result.reasons)
    assert "ine-tuning" not in text
    assert not any("seconds" in " ".join(update.reasons) for update in updates)
    assert f"The smallest file of all recipes tried has {result.best.bytes:,}" in text
    assert ("give more seconds" in text, "no other promised a smaller one" in text) == (
        helps,
        not helps,
    )


@pytest.mark.slow
@pytest.mark.parametrize(("limit", "met"), [(1e6, True), (1e-6, False)])
def test_a_latency_is_measured_for_a_limit(tiny, limit, met, monkeypatch):
    def few(model, study, trials, count, changed):
        return (
            []
            if len(trials) >= limited_search.ROUND
            else directed(model, study, trials, count, changed)
        )

    monkeypatch.setattr(limited_search, "directed", few)
    monkeypatch.setenv("WORKBENCH_BUDGET", "60")  # enough on a busy machine; the search ends before
    result = optimize(tiny, max_latency_ms=limit, seconds=20)
    assert 0 < result.latency_ms < 1e6
    assert result.met == met
    assert met or "ms" in result.violations[0]


@pytest.mark.parametrize("limits", [{"target": "torch"}, {"max_latency_ms": 1.0}], ids=str)
def test_a_latency_that_takes_too_long_is_left_out(tiny, limits, monkeypatch):
    def endless(_model, _artifact, _target, cancel, *, energy):
        while True:
            cancel.check()
            time.sleep(0.01)

    monkeypatch.setattr(speed, "measured_cost", endless)
    monkeypatch.setattr(speed, "expected_seconds", lambda _target: 0.0)
    result = optimize(tiny, max_bytes=20_000, seconds=0.1, **limits)
    assert (result.latency_ms, result.met) == (None, "target" in limits)
    assert "latency was not measured" in " ".join(result.reasons)


def test_the_best_is_timed_once_more_only_if_time_is_left(tiny, monkeypatch):
    timed = []

    def slow(_model, artifact, _target, _cancel, *, energy):
        timed.append(artifact.digest)
        time.sleep(0.2)
        return Cost(1.0)

    monkeypatch.setattr(speed, "measured_cost", slow)
    monkeypatch.setattr(speed, "expected_seconds", lambda _target: 0.0)
    result = optimize(tiny, max_bytes=20_000, seconds=0.3, target="torch")
    assert len(timed) <= 1  # none if measuring the first recipe took all of the time
    assert (result.latency_ms == 1.0) == (timed == [result.best.file])


def test_a_latency_is_not_begun_without_the_time_for_it(tiny, monkeypatch):
    monkeypatch.setattr(speed, "measured_cost", lambda *_arguments, **_more: pytest.fail("begun"))
    monkeypatch.setattr(speed, "expected_seconds", lambda _target: 1e3)
    result = optimize(tiny, max_bytes=20_000, seconds=0.5, target="torch")
    assert result.met
    assert re.search(r"latency was not measured.* takes [\d,\s]{5,}s", " ".join(result.reasons))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"max_bytes": 0}, "argument.not_a_count"),
        ({"max_bytes": 10.5}, "argument.not_a_count"),
        ({"min_accuracy": 90}, "study.invalid_limit"),
        ({"min_accuracy": float("nan")}, "study.invalid_limit"),
        ({"max_latency_ms": -1}, "study.invalid_limit"),
        ({"seconds": 0}, "study.invalid_limit"),
        ({"target": "abacus"}, "deploy.unknown_runtime"),
    ],
    ids=str,
)
def test_bad_arguments(tiny, arguments, code):
    with raises(code):
        optimize(tiny, **arguments)


def test_no_model():
    with raises("argument.not_a_model"):
        optimize("fashion/mlp-32")


def test_a_limit_on_the_accuracy_of_numbers(linear):
    with raises("study.no_accuracy", "root mean squared error"):
        optimize(linear(), min_accuracy=0.9)


@pytest.mark.slow
def test_a_network_of_a_user(processor_time):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv1d(1, 8, 5), nn.GELU(), nn.Flatten(), nn.Linear(96, 3)).eval()
    inputs = torch.randn(1500, 1, 16)
    labels = module(inputs).argmax(dim=1)
    parts = {"train": slice(0, 300), "validation": slice(300, 1200), "test": slice(1200, None)}
    data = {name: (inputs[part], labels[part]) for name, part in parts.items()}
    model = wb.from_module(module, **data, name="searched")
    result = optimize(model, min_accuracy=0.9, seconds=2)
    assert result.met
    assert result.best.bytes < model.original_bytes
    logits = wb.to_module(result.artifact, module)(model.task.split("validation").examples)
    right = logits.argmax(dim=1) == labels[parts["validation"]]
    assert result.best.accuracy == right.double().mean().item()


def test_a_search_can_be_cancelled(tiny):
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        optimize(tiny, seconds=2, cancel=token)


@pytest.mark.parametrize("kind", ["no folder", "full", "other version", "damaged", "a folder"])
def test_a_log_in_the_cache_that_cannot_be_used_does_not_end_the_search(
    tiny, tmp_path, monkeypatch, kind
):
    path = tmp_path / "studies" / "log.jsonl"
    monkeypatch.setattr(sys.modules[optimize.__module__], "default_path", lambda digest: path)
    if kind == "no folder":
        path.parent.write_text("a file where the folder should be")
    elif kind == "full":
        real = Path.open

        def full(file, mode="r", *more, **others):
            if mode == "ab" and file.exists():
                raise OSError(ENOSPC, strerror(ENOSPC))
            return real(file, mode, *more, **others)

        monkeypatch.setattr(Path, "open", full)
    elif kind == "a folder":
        path.mkdir(parents=True)
    else:
        optimize(tiny, max_bytes=20_000, seconds=0.01)
        header, *trials = path.read_text().splitlines()
        if kind == "damaged":
            trials = ["{", *trials]
        else:
            header = header.replace(version("workbench"), "0.0.1")
        path.write_text("\n".join([header, *trials]) + "\n")
    result = optimize(tiny, max_bytes=20_000, seconds=0.01)
    assert result.best.exact
    if kind in {"other version", "damaged"}:
        first = json.loads(path.read_text().splitlines()[0])
        assert first["workbench"] == version("workbench")
        assert len(path.read_text().splitlines()) == 1 + len(result.result.trials)


@pytest.mark.slow
def test_a_recommendation_displays_itself(tiny, processor_time):
    result = optimize(tiny, max_bytes=20_000, seconds=1)
    bundle = result._repr_mimebundle_()
    assert f"{result.best.bytes:,}" in bundle["text/html"]
    assert result.plot().figure["data"]
    assert len(result.to_frame()["bytes"]) == len(result.choices)
    assert result.result.plot().figure["data"]
    card = result.result._repr_mimebundle_()["text/html"]
    assert re.search("recipes measured", card)


def test_the_goal_orders_trials(tiny):
    trials = [measurement.measure_trial(tiny, measurement.Job(r)) for r in first_recipes(tiny)[:6]]
    smallest = min(trials, key=lambda trial: trial.bytes)
    best = max(trials, key=lambda trial: trial.value)
    assert Goal.of(tiny, best.bytes, None, None).ranking(trials)[0] == best
    assert Goal.of(tiny, None, smallest.value, None).ranking(trials)[0] == smallest


@pytest.mark.parametrize(
    "axes",
    [{"quantize.bits": [5, 4]}, {"prune.sparsity": [0.31, 0.37]}, {"share.clusters": [4]}],
    ids=str,
)
def test_a_narrower_space_is_kept(tiny, axes, processor_time):
    space = wb.Space(axes)
    result = optimize(tiny, max_bytes=60_000, seconds=1, space=space)
    allowed = set(space)
    assert {trial.recipe for trial in result.result.trials} & allowed
    assert result.recipe in allowed
    for trial in result.result.trials:
        parts = set(trial.recipe.as_dict())
        assert trial.recipe in allowed or parts < set(next(iter(allowed)).as_dict())  # a reason


def test_what_is_within_a_narrower_space(tiny):
    four = wb.Recipe(quantize=wb.Quantize(4))
    pruned = wb.Recipe(prune=wb.Prune(0.5), quantize=wb.Quantize(4))
    everything = space_of(tiny)
    assert all(is_within(everything, recipe) for recipe in (*first_recipes(tiny), four, pruned))
    bits = wb.Space({"quantize.bits": [4, 5]})
    assert is_within(bits, four)
    assert not is_within(bits, pruned)
    assert not is_within(bits, wb.Recipe())
    few = narrowed_space(tiny, [("quantize.bits", 2, 4)])
    assert few.axes["quantize.bits"] == everything.axes["quantize.bits"][2:5]
    assert is_within(few, pruned)
    assert not is_within(few, wb.Recipe(quantize=wb.Quantize(8)))


def test_a_model_has_only_fields_that_act():
    axes = space_of(wb.model("fashion/lenet-300-100")).axes
    assert "adjust.batch_norm" not in axes
    assert "adjust.batch_norm" in space_of(wb.model("fashion/resnet")).axes


@pytest.mark.slow
def test_the_command_writes_the_file_that_it_describes(tmp_path, capsys):
    path = tmp_path / "best.wb"
    command = ["optimize", "fashion/mlp-32", "--max-bytes", "20000", "--min-accuracy", "0.8"]
    assert main([*command, "--seconds", "4", "--output", str(path), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    numbers = {"bytes", "metric", "value", "accuracy", "latency_ms"}
    assert numbers | {"recipe", "met", "reasons", "front"} <= set(result)
    assert path.stat().st_size == result["bytes"]
    assert main(["evaluate", str(path), "--json"]) == 0
    evaluated = json.loads(capsys.readouterr().out)
    for key in ("bytes", "accuracy", "recipe", "digest"):
        assert evaluated[key] == result[key]
    assert main(["optimize", "fashion/mlp-32", "--max-bytes", "50", "--seconds", "1"]) == 1
    assert "no recipe meets all limits" in capsys.readouterr().out


@pytest.mark.slow
def test_the_command_does_not_lose_the_recipe_if_its_file_cannot_be_written(
    tmp_path, capsys, monkeypatch
):
    def full(*_):
        raise FileError("Cannot write it.", code="file.cannot_write")

    monkeypatch.setattr(Artifact, "save", full)
    command = ["optimize", "fashion/mlp-32", "--max-bytes", "20000", "--seconds", "0.1"]
    assert main([*command, "--output", str(tmp_path / "a.wb")]) == 2
    monkeypatch.undo()
    sentence = capsys.readouterr().err.splitlines()[-1]
    again = shlex.split(sentence[sentence.index("workbench compress") :])[1:]
    again = again[: again.index("writes")]
    path = tmp_path / "b.wb"
    assert main([*again[:-1], str(path)]) == 0
    assert path.stat().st_size <= 20_000


def test_the_command_checks_its_input_first(capsys):
    assert main(["optimize", "fashion/mlp-32", "--seconds", "0"]) == 2
    assert main(["optimize", "fashion/unknown"]) == 2
    assert main(["optimize", "fashion/mlp-32", "--output", "/nowhere/x.wb"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 3
