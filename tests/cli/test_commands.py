from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

import workbench as wb
from workbench import formatting
from workbench.profiling import resources
from workbench.zoo.tables import ARCHITECTURES

SMALL = "fashion/lenet-300-100"
RECIPE = """{
    "prune": {"sparsity": 0.9, "criterion": "magnitude", "scope": "global"},
    "quantize": {"bits": 4, "scheme": "symmetric", "granularity": "channel"}
}"""
REPORT = {
    "accuracy", "accuracy_low", "accuracy_high", "population_low", "population_high", "examples",
    "recall", "f1", "bytes", "original_bytes", "sparsity_requested", "sparsity_achieved",
    "parameters", "nonzero", "ledger", "latency_ms", "macs", "peak_memory", "training_seconds",
    "reasons", "model", "task", "split", "recipe", "digest",
}  # fmt: skip
TIMING = {"threads": 1, "device": "cpu"} | {
    f"batch_{n}": {"median": 1.0, "p10": 0.9, "p90": 1.2, "runs": 9} for n in (1, 64)
}


@pytest.fixture(autouse=True)
def timing(monkeypatch):
    """Replace the latency measurement by a constant."""
    monkeypatch.setattr(resources, "latency", lambda model, weights: dict(TIMING))


@pytest.fixture
def saved(tmp_path, ask):
    def save(name="small.safetensors", recipe=RECIPE, model=SMALL):
        return ask("compress", model, "--recipe", recipe, "--output", tmp_path / name)

    return save


def test_list(ask):
    result = ask("list")
    assert [task["name"] for task in result["tasks"]] == list(wb.tasks())
    assert [model["name"] for model in result["models"]] == list(wb.models())
    for model in result["models"]:
        card = wb.model(model["name"]).card
        assert model["parameters"] == card["parameters"]
        for split, accuracy in model["figures"].items():
            known = card["accuracy"][split]
            assert accuracy == known.get(
                "value", known["correct"] / known["examples"] if "correct" in known else None
            )


@pytest.mark.parametrize(("split", "examples"), [("validation", 5000), ("test", 10000)])
def test_measure(ask, split, examples):
    result = ask("measure", SMALL, "--recipe", RECIPE, "--split", split)
    assert result.keys() >= REPORT
    assert (result["split"], result["examples"]) == (split, examples)
    assert result["accuracy_low"] == result["accuracy"] == result["accuracy_high"]
    assert result["population_low"] < result["accuracy"] < result["population_high"]
    assert 0 < result["recall"] < 1
    assert 0 < result["f1"] < 1
    model = wb.model(SMALL)
    assert result["original_bytes"] == model.architecture.checkpoint.stat().st_size
    artifact = wb.compress(model, wb.Recipe.from_json(RECIPE))
    assert result["bytes"] == len(artifact.to_bytes()) == result["ledger"]["total"]
    rows = result["ledger"]["rows"]
    assert sum(row["total"] for row in rows) + result["ledger"]["container"] == result["bytes"]
    assert [row["name"] for row in rows] == list(model.weights())
    assert result["sparsity_requested"] == 0.9
    assert result["sparsity_achieved"] >= 0.9
    assert result["parameters"] == 266_610
    assert result["nonzero"] < 0.11 * 266_610
    assert result["macs"] == 266_200
    assert result["peak_memory"] > 4 * 266_610
    assert result["latency_ms"] == TIMING
    assert result["training_seconds"] == model.card["training"]["seconds"]
    assert result["recipe"] == wb.Recipe.from_json(RECIPE).as_dict()
    assert all(isinstance(sentence, str) for sentence in result["reasons"])


def test_measure_without_a_recipe_measures_the_original(ask):
    result = ask("measure", SMALL)
    known = wb.model(SMALL).card["accuracy"]["validation"]
    assert result["recipe"] == {}
    assert result["accuracy"] == known["correct"] / known["examples"]
    assert result["reasons"] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "first", "more"),
    [
        ("reviews-lm/gpt", "bits per character", {"perplexity", "accuracy"}),
        ("vowels/gru", "accuracy", {"recall (macro)", "F1 (macro)"}),
    ],
)
def test_the_metrics_of_a_task_are_printed(workbench, model, first, more):
    status, table, _err = workbench("measure", model)
    lines = [line.strip() for line in table.splitlines()]
    chosen = wb.model(model)
    figure = chosen.metric_value("validation")
    written = formatting.percent(figure, 2) if first == "accuracy" else f"{figure:.3f}\u202fbits"
    assert status == 0
    assert lines[1].startswith(first)
    assert written in lines[1]
    assert all(any(line.startswith(name) for line in lines) for name in more)
    status, table, _err = workbench("list")
    row = next(line for line in table.splitlines() if line.startswith(model))
    assert chosen.task.metric.format(figure) in row


def test_the_loss_of_a_language_model_is_printed_in_percent(workbench, monkeypatch):
    from workbench.analysis import sensitivity

    point = sensitivity.Point("a.weight", 2, wb.Recipe(), 1000, 3.0)
    result = sensitivity.Sensitivity(
        "quantize", ("a.weight",), (2,), 1.5, wb.task("reviews-lm").metric, (point,)
    )
    monkeypatch.setattr(sensitivity, "sensitivity", lambda *_, **__: result)
    status, table, _err = workbench("sensitivity", "reviews-lm/gpt", "--part", "quantize")
    assert status == 0
    assert "1.500\u202fbits; percent worse by quantize" in table
    assert "100.00" in table.splitlines()[-1]


@pytest.mark.slow
def test_sensitivity(ask, workbench):
    arguments = ("sensitivity", SMALL, "--settings", 0.5, 0.9, "--recipe")
    recipe = '{"prune": {"criterion": "random"}}'
    result = ask(*arguments, recipe)
    assert (result["part"], result["settings"]) == ("prune", [0.5, 0.9])
    assert len(result["points"]) == 6
    point = result["points"][3]
    assert (point["layer"], point["setting"]) == ("fc2.weight", 0.9)
    assert point["recipe"]["prune"]["criterion"] == "random"
    measured = ask("measure", SMALL, "--recipe", json.dumps(point["recipe"]))
    assert (point["value"], point["bytes"]) == (measured["value"], measured["bytes"])
    _status, table, _err = workbench(*arguments, recipe)
    lost = (result["value"] - point["value"]) * 100
    assert f"{lost:.2f}" in next(line for line in table.splitlines() if "fc2.weight" in line)
    status, _out, err = workbench("sensitivity", SMALL, "--part", "quantize", "--settings", 9)
    assert status == 2
    assert "cannot be 9: use 2, 3" in err


def test_a_recipe_from_a_file_is_the_same(ask, tmp_path):
    path = tmp_path / "recipe.json"
    path.write_text(RECIPE, encoding="utf-8")
    assert ask("measure", SMALL, "--recipe", path) == ask("measure", SMALL, "--recipe", RECIPE)


@pytest.mark.slow
def test_compress_inspect_and_evaluate_agree(ask, saved, tmp_path):
    compressed = saved()
    path = tmp_path / "small.safetensors"
    assert compressed["file"] == str(path)
    assert compressed["bytes"] == path.stat().st_size == compressed["ledger"]["total"]
    measured = ask("measure", SMALL, "--recipe", RECIPE)
    assert compressed["bytes"] == measured["bytes"]
    assert compressed["original_bytes"] == measured["original_bytes"]
    inspected = ask("inspect", path)
    for key in ("model", "recipe", "bytes", "digest", "ledger"):
        assert inspected[key] == compressed[key] == measured[key]
    evaluated = ask("evaluate", path)
    assert evaluated.pop("file") == str(path)
    assert evaluated == measured


@pytest.mark.slow
def test_evaluate_takes_several_files(ask, saved, tmp_path):
    saved("a.safetensors")
    saved("b.safetensors", '{"quantize": {"bits": 2}}')
    result = ask("evaluate", tmp_path / "a.safetensors", tmp_path / "b.safetensors")
    assert [item["file"] for item in result["files"]] == [
        str(tmp_path / name) for name in ("a.safetensors", "b.safetensors")
    ]
    for item in result["files"]:
        assert item.keys() >= REPORT
        assert item["accuracy_low"] == item["accuracy_high"]
    assert result["files"][0]["recipe"] != result["files"][1]["recipe"]
    test = ask("evaluate", tmp_path / "a.safetensors", "--split", "test")
    assert (test["split"], test["examples"]) == ("test", 10000)


def test_compress_replaces_an_existing_file(saved, tmp_path):
    (tmp_path / "small.safetensors").write_bytes(b"older")
    compressed = saved(recipe=RECIPE + " " * 300)  # too long for the name of a file
    assert (tmp_path / "small.safetensors").stat().st_size == compressed["bytes"]
    assert [path.name for path in tmp_path.iterdir()] == ["small.safetensors"]


def test_compress_and_decompress_a_tensor_file(workbench, ask, tmp_path):
    big, small, again = (tmp_path / f"{name}.safetensors" for name in ("big", "small", "again"))
    save_file({"w": torch.randn(50, 60).bfloat16(), "b": torch.ones(50).bfloat16()}, big)
    recipe = '{"prune": {"sparsity": 0.5}, "quantize": {"bits": 4, "granularity": "group"}}'
    compressed = ask("compress", big, "--recipe", recipe, "--output", small)
    assert (compressed["model"], compressed["file"]) == ("file:big", str(small))
    assert compressed["bytes"] == small.stat().st_size == compressed["ledger"]["total"]
    assert compressed["original_bytes"] == big.stat().st_size
    inspected = ask("inspect", small)
    assert all(inspected[key] == compressed[key] for key in ("model", "recipe", "digest", "ledger"))
    decompressed = ask("decompress", small, "--output", again)
    assert decompressed == {"file": str(again), "bytes": again.stat().st_size}
    restored, decoded = load_file(again), wb.load(small).weights()
    assert all(torch.equal(restored[name], decoded[name].bfloat16()) for name in ("w", "b"))
    (tmp_path / "folder").mkdir()
    big.rename(tmp_path / "folder" / "big.safetensors")
    assert ask("compress", tmp_path / "folder", "--output", small)["model"] == "file:big"
    assert workbench("compress", tmp_path / "folder", "--output", small)[0] == 0
    status, out, err = workbench("decompress", small, "--output", again)
    assert (status, err) == (0, "")
    assert formatting.nbytes(again.stat().st_size) in out


def test_an_artifact_of_a_tensor_file_cannot_be_evaluated(workbench, ask, tmp_path):
    save_file({"w": torch.ones(5, 6)}, tmp_path / "big.safetensors")
    small = tmp_path / "small"
    ask("compress", tmp_path / "big.safetensors", "--output", small)
    status, out, err = workbench("evaluate", small)
    assert (status, out) == (2, "")
    assert "'big'" in err
    assert err.count("\n") == 1


@pytest.mark.slow
def test_text_and_json_agree(workbench, ask, saved, tmp_path):
    compressed = saved()
    path = tmp_path / "small.safetensors"
    measured = ask("measure", SMALL, "--recipe", RECIPE)
    status, out, err = workbench("measure", SMALL, "--recipe", RECIPE)
    assert (status, err) == (0, "")
    assert formatting.percent(measured["accuracy"], 2) in out
    assert formatting.nbytes(measured["bytes"]) in out
    assert all(sentence in out for sentence in measured["reasons"])
    for command in (("inspect", path), ("evaluate", path), ("list",)):
        status, out, err = workbench(*command)
        assert (status, err) == (0, "")
        assert SMALL in out
    status, out, _ = workbench("inspect", path)
    assert f"{compressed['ledger']['total']:,}" in out
    status, out, _ = workbench("compress", SMALL, "--recipe", RECIPE, "--output", path)
    assert formatting.nbytes(compressed["bytes"]) in out


def test_the_progress_bar_appears_only_in_a_terminal(workbench, monkeypatch):
    _, _, err = workbench("measure", SMALL)
    assert err == ""
    monkeypatch.setattr("workbench.progress.sys.stderr.isatty", lambda: True)
    _, out, err = workbench("measure", SMALL, "--recipe", '{"quantize": {"bits": 3}}')
    assert "of 5,000" in err
    assert err.endswith("\r\033[K")
    assert "█" not in out


def test_training_in_a_terminal_shows_the_accuracy_so_far(workbench, monkeypatch, tmp_path):
    monkeypatch.setattr("workbench.progress.sys.stderr.isatty", lambda: True)
    path = str(tmp_path / "a.safetensors")
    _, _, err = workbench("train", SMALL, "--train.steps", "3", "--seed", "7", "--output", path)
    assert re.search(r"1 of 3  \d\d\.\d\u202f%", err)


def test_help_and_version(workbench):
    status, out, _ = workbench("--help")
    assert status == 0
    for verb in (
        "list",
        "measure",
        "compress",
        "decompress",
        "to-module",
        "evaluate",
        "inspect",
        "dashboard",
        "lab",
    ):
        assert verb in out
        assert workbench(verb, "--help")[0] == 0
    assert workbench("--version") == (0, f"workbench {wb.__version__}\n", "")


@pytest.mark.slow
def test_a_separate_process():
    command = [sys.executable, "-m", "workbench", "list", "--json"]
    process = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    names = [model["name"] for model in json.loads(process.stdout)["models"]]
    assert names[: len(ARCHITECTURES)] == [*ARCHITECTURES]
    assert process.stderr == ""


@pytest.mark.slow
def test_listing_and_errors_need_no_torch():
    """Importing torch takes a second: only commands that compute import it."""
    script = (
        "import sys; from workbench.cli import main; status = main(sys.argv[1:]);"
        "assert 'torch' not in sys.modules; raise SystemExit(status)"
    )
    for arguments, status in ((["list"], 0), (["measure", "fashion/none"], 2)):
        command = [sys.executable, "-c", script, *arguments]
        process = subprocess.run(command, capture_output=True, check=False)
        assert process.returncode == status, process.stderr


@pytest.mark.slow
def test_a_closed_pipe_is_not_an_error():
    command = [sys.executable, "-m", "workbench", "list"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    with process.stderr as errors:
        assert errors.read() == b""
    assert process.wait() == 0
