from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

import workbench as wb
from workbench import formatting
from workbench.profiling import resources

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
    """A timing that takes no time."""
    monkeypatch.setattr(resources, "latency", lambda model, weights: dict(TIMING))


@pytest.fixture
def saved(tmp_path, ask):
    def save(name="small.safetensors", recipe=RECIPE, model=SMALL):
        return ask("compress", model, "--recipe", recipe, "--output", tmp_path / name)

    return save


def test_list(ask):
    found = ask("list")
    assert [task["name"] for task in found["tasks"]] == list(wb.tasks())
    assert [model["name"] for model in found["models"]] == list(wb.models())
    for model in found["models"]:
        card = wb.model(model["name"]).card
        assert model["parameters"] == card["parameters"]
        for split, accuracy in model["figures"].items():
            known = card["accuracy"][split]
            assert accuracy == known.get(
                "value", known["correct"] / known["examples"] if "correct" in known else None
            )


@pytest.mark.parametrize(("split", "examples"), [("validation", 5000), ("test", 10000)])
def test_measure(ask, split, examples):
    found = ask("measure", SMALL, "--recipe", RECIPE, "--split", split)
    assert found.keys() >= REPORT
    assert (found["split"], found["examples"]) == (split, examples)
    assert found["accuracy_low"] == found["accuracy"] == found["accuracy_high"]
    assert found["population_low"] < found["accuracy"] < found["population_high"]
    assert 0 < found["recall"] < 1
    assert 0 < found["f1"] < 1
    model = wb.model(SMALL)
    assert found["original_bytes"] == model.architecture.checkpoint.stat().st_size
    artifact = wb.compress(model, wb.Recipe.from_json(RECIPE))
    assert found["bytes"] == len(artifact.to_bytes()) == found["ledger"]["total"]
    rows = found["ledger"]["rows"]
    assert sum(row["total"] for row in rows) + found["ledger"]["container"] == found["bytes"]
    assert [row["name"] for row in rows] == list(model.weights())
    assert found["sparsity_requested"] == 0.9
    assert found["sparsity_achieved"] >= 0.9
    assert found["parameters"] == 266_610
    assert found["nonzero"] < 0.11 * 266_610
    assert found["macs"] == 266_200
    assert found["peak_memory"] > 4 * 266_610
    assert found["latency_ms"] == TIMING
    assert found["training_seconds"] == model.card["training"]["seconds"]
    assert found["recipe"] == wb.Recipe.from_json(RECIPE).as_dict()
    assert all(isinstance(sentence, str) for sentence in found["reasons"])


def test_measure_without_a_recipe_measures_the_original(ask):
    found = ask("measure", SMALL)
    known = wb.model(SMALL).card["accuracy"]["validation"]
    assert found["recipe"] == {}
    assert found["accuracy"] == known["correct"] / known["examples"]
    assert found["reasons"] == []


@pytest.mark.parametrize(
    ("model", "first", "more"),
    [
        ("reviews-lm/gpt", "bits per character", {"perplexity", "accuracy"}),
        ("vowels/gru", "accuracy", {"recall (macro)", "F1 (macro)"}),
    ],
)
def test_what_a_task_is_measured_by_is_printed(workbench, model, first, more):
    status, table, _err = workbench("measure", model)
    lines = [line.strip() for line in table.splitlines()]
    chosen = wb.model(model)
    figure = chosen.figure("validation")
    written = formatting.percent(figure, 2) if first == "accuracy" else f"{figure:.3f}\u202fbits"
    assert status == 0
    assert lines[1].startswith(first)
    assert written in lines[1]
    assert all(any(line.startswith(name) for line in lines) for name in more)
    status, table, _err = workbench("list")
    row = next(line for line in table.splitlines() if line.startswith(model))
    assert chosen.task.metric.written(figure) in row


def test_what_a_language_model_loses_is_told_in_percent(workbench, monkeypatch):
    from workbench.analysis import sensitivity

    point = sensitivity.Point("a.weight", 2, wb.Recipe(), 1000, 3.0)
    found = sensitivity.Sensitivity(
        "quantize", ("a.weight",), (2,), 1.5, wb.task("reviews-lm").metric, (point,)
    )
    monkeypatch.setattr(sensitivity, "sensitivity", lambda *_, **__: found)
    status, table, _err = workbench("sensitivity", "reviews-lm/gpt", "--part", "quantize")
    assert status == 0
    assert "1.500\u202fbits; percent worse by quantize" in table
    assert "100.00" in table.splitlines()[-1]


def test_sensitivity(ask, workbench):
    asked = ("sensitivity", SMALL, "--settings", 0.5, 0.9, "--recipe")
    how = '{"prune": {"criterion": "random"}}'
    found = ask(*asked, how)
    assert (found["part"], found["settings"]) == ("prune", [0.5, 0.9])
    assert len(found["points"]) == 6
    point = found["points"][3]
    assert (point["layer"], point["setting"]) == ("fc2.weight", 0.9)
    assert point["recipe"]["prune"]["criterion"] == "random"
    measured = ask("measure", SMALL, "--recipe", json.dumps(point["recipe"]))
    assert (point["value"], point["bytes"]) == (measured["value"], measured["bytes"])
    _status, table, _err = workbench(*asked, how)
    lost = (found["value"] - point["value"]) * 100
    assert f"{lost:.2f}" in next(line for line in table.splitlines() if "fc2.weight" in line)
    status, _out, err = workbench("sensitivity", SMALL, "--part", "quantize", "--settings", 9)
    assert status == 2
    assert "must be one of" in err


def test_a_recipe_from_a_file_is_the_same(ask, tmp_path):
    path = tmp_path / "recipe.json"
    path.write_text(RECIPE, encoding="utf-8")
    assert ask("measure", SMALL, "--recipe", path) == ask("measure", SMALL, "--recipe", RECIPE)


def test_compress_inspect_and_evaluate_speak_of_one_file(ask, saved, tmp_path):
    made = saved()
    path = tmp_path / "small.safetensors"
    assert made["file"] == str(path)
    assert made["bytes"] == path.stat().st_size == made["ledger"]["total"]
    measured = ask("measure", SMALL, "--recipe", RECIPE)
    assert made["bytes"] == measured["bytes"]
    assert made["original_bytes"] == measured["original_bytes"]
    inspected = ask("inspect", path)
    for key in ("model", "recipe", "bytes", "digest", "ledger"):
        assert inspected[key] == made[key] == measured[key]
    evaluated = ask("evaluate", path)
    assert evaluated.pop("file") == str(path)
    assert evaluated == measured


def test_evaluate_takes_several_files(ask, saved, tmp_path):
    saved("a.safetensors")
    saved("b.safetensors", '{"quantize": {"bits": 2}}')
    found = ask("evaluate", tmp_path / "a.safetensors", tmp_path / "b.safetensors")
    assert [one["file"] for one in found["files"]] == [
        str(tmp_path / name) for name in ("a.safetensors", "b.safetensors")
    ]
    for one in found["files"]:
        assert one.keys() >= REPORT
        assert one["accuracy_low"] == one["accuracy_high"]
    assert found["files"][0]["recipe"] != found["files"][1]["recipe"]
    test = ask("evaluate", tmp_path / "a.safetensors", "--split", "test")
    assert (test["split"], test["examples"]) == ("test", 10000)


def test_compressing_over_a_file_replaces_it_whole(saved, tmp_path):
    (tmp_path / "small.safetensors").write_bytes(b"older")
    made = saved()
    assert (tmp_path / "small.safetensors").stat().st_size == made["bytes"]
    assert [path.name for path in tmp_path.iterdir()] == ["small.safetensors"]


def test_a_file_of_tensors_there_and_back(workbench, ask, tmp_path):
    big, small, again = (tmp_path / f"{name}.safetensors" for name in ("big", "small", "again"))
    save_file({"w": torch.randn(50, 60).bfloat16(), "b": torch.ones(50).bfloat16()}, big)
    recipe = '{"prune": {"sparsity": 0.5}, "quantize": {"bits": 4, "granularity": "group"}}'
    made = ask("compress", big, "--recipe", recipe, "--output", small)
    assert (made["model"], made["file"]) == ("file:big", str(small))
    assert made["bytes"] == small.stat().st_size == made["ledger"]["total"]
    assert made["original_bytes"] == big.stat().st_size
    inspected = ask("inspect", small)
    assert all(inspected[key] == made[key] for key in ("model", "recipe", "digest", "ledger"))
    expanded = ask("expand", small, "--output", again)
    assert expanded == {"file": str(again), "bytes": again.stat().st_size}
    back, decoded = load_file(again), wb.load(small).weights()
    assert all(torch.equal(back[name], decoded[name].bfloat16()) for name in ("w", "b"))
    (tmp_path / "folder").mkdir()
    big.rename(tmp_path / "folder" / "big.safetensors")
    assert ask("compress", tmp_path / "folder", "--output", small)["model"] == "file:big"
    assert workbench("compress", tmp_path / "folder", "--output", small)[0] == 0
    status, out, err = workbench("expand", small, "--output", again)
    assert (status, err) == (0, "")
    assert formatting.nbytes(again.stat().st_size) in out


def test_a_file_of_tensors_has_no_module(workbench, ask, tmp_path):
    save_file({"w": torch.ones(5, 6)}, tmp_path / "big.safetensors")
    small = tmp_path / "small"
    ask("compress", tmp_path / "big.safetensors", "--output", small)
    status, out, err = workbench("evaluate", small)
    assert (status, out) == (2, "")
    assert "'big', which is no built-in model" in err
    assert err.count("\n") == 1


def test_text_says_what_json_says(workbench, ask, saved, tmp_path):
    made = saved()
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
    assert f"{made['ledger']['total']:,}" in out
    status, out, _ = workbench("compress", SMALL, "--recipe", RECIPE, "--output", path)
    assert formatting.nbytes(made["bytes"]) in out


def test_a_progress_bar_on_a_terminal_only(workbench, monkeypatch):
    _, _, err = workbench("measure", SMALL)
    assert err == ""
    monkeypatch.setattr("workbench.cli.progress.sys.stderr.isatty", lambda: True)
    _, out, err = workbench("measure", SMALL, "--recipe", '{"quantize": {"bits": 3}}')
    assert "of 5,000" in err
    assert err.endswith("\r\033[K")
    assert "█" not in out


def test_help_and_version(workbench):
    status, out, _ = workbench("--help")
    assert status == 0
    for verb in (
        "list",
        "measure",
        "compress",
        "expand",
        "rebuild",
        "evaluate",
        "inspect",
        "dashboard",
        "lab",
    ):
        assert verb in out
        assert workbench(verb, "--help")[0] == 0
    assert workbench("--version") == (0, f"workbench {wb.__version__}\n", "")


def test_as_a_process_of_its_own():
    command = [sys.executable, "-m", "workbench", "list", "--json"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    assert len(json.loads(done.stdout)["models"]) == len(wb.models())
    assert done.stderr == ""


def test_listing_and_refusing_need_no_torch():
    """Torch takes a second to load: only what computes waits for it."""
    script = (
        "import sys; from workbench.cli import main; status = main(sys.argv[1:]);"
        "assert 'torch' not in sys.modules; raise SystemExit(status)"
    )
    for arguments, status in ((["list"], 0), (["measure", "fashion/none"], 2)):
        command = [sys.executable, "-c", script, *arguments]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode == status, done.stderr


def test_a_reader_that_goes_away_is_no_error():
    command = [sys.executable, "-m", "workbench", "list"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    running.stdout.close()
    with running.stderr as complaints:
        assert complaints.read() == b""
    assert running.wait() == 0
