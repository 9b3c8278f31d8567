"""Models of the user's own on the console: from code, from a table, from pictures."""

from __future__ import annotations

import json
import sys
import zipfile
from importlib import import_module
from io import BytesIO
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import workbench as wb
from tests.raises import raises
from workbench.cli import optimizing
from workbench.cli.models import find
from workbench.zoo import registry

CODE = """
import numpy as np
import torch

import workbench as wb
from helper import Network

print("this text is no JSON")


def _model(columns, count, name):
    table = np.loadtxt("data.csv", delimiter=",", skiprows=1, dtype=np.float32)
    x, y = torch.from_numpy(table[:, :4]), torch.from_numpy(table[:, columns])
    y = y.long() if name == "classes" else y[:, None]
    torch.manual_seed(0)
    network = Network(count)
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    loss = torch.nn.CrossEntropyLoss() if name == "classes" else torch.nn.MSELoss()
    for _ in range(150):
        optimizer.zero_grad()
        loss(network(x[:400]), y[:400]).backward()
        optimizer.step()
    parts = {"train": slice(400), "validation": slice(400, 600), "test": slice(600, 800)}
    data = {part: (x[rows], y[rows]) for part, rows in parts.items()}
    return wb.from_module(network, **data, name=name)


def classes():
    return _model(4, 2, "classes")


def number():
    return _model(5, 1, "number")


class Factory:
    @staticmethod
    def texts():
        texts = ["a good film", "a bad film", "good fun", "bad music"] * 20
        return wb.from_text(texts, ["positive", "negative"] * 40, seconds=1)


def module():
    return Network(2)


def fails():
    raise ValueError("no weights")


def leaves():
    raise SystemExit(3)


def nothing():
    return 3
"""
HELPER = """
import torch


class Network(torch.nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.first, self.last = torch.nn.Linear(4, 48), torch.nn.Linear(48, outputs)

    def forward(self, inputs):
        return self.last(self.first(inputs).relu())
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with code and a table."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(800, 4)).round(3)
    rows = [f"{a},{b},{c},{d},{int(a + b > 0)},{2 * a - c:.3f}" for a, b, c, d in x]
    (tmp_path / "data.csv").write_text("\n".join(["a,b,c,d,kind,number", *rows]))
    (tmp_path / "own.py").write_text(CODE)
    (tmp_path / "helper.py").write_text(HELPER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(optimizing, "_process_seconds", lambda: 0.0)
    yield tmp_path
    for name in ("own", "helper"):
        sys.modules.pop(name, None)


def result_of(run):
    """Return the object that a command printed, whatever was printed on standard error."""
    status, out, _err = run
    return status, json.loads(out)


@pytest.mark.slow
@pytest.mark.parametrize("text", ["own:classes", "own.py:classes", "{}/own.py:classes"])
def test_optimize_takes_a_model_of_own_code(workbench, folder, text):
    output = folder / "small.safetensors"
    options = ("--max-bytes", 1500, "--seconds", 4, "--output", output, "--json")
    status, result = result_of(workbench("optimize", text.format(folder), *options))
    assert (status, result["met"], result["model"]) == (0, True, "custom/classes")
    assert result["bytes"] == output.stat().st_size <= 1500
    network = sys.modules["helper"].Network
    table = np.loadtxt("data.csv", delimiter=",", skiprows=1, dtype=np.float32)[400:600]
    outputs = wb.to_module(output, network(2))(torch.from_numpy(table[:, :4]))
    assert float((outputs.argmax(1).numpy() == table[:, 4]).mean()) == result["accuracy"]


@pytest.mark.slow
def test_a_metric_that_is_better_when_lower(workbench, folder):
    output = folder / "small.safetensors"
    options = ("--max-bytes", 1200, "--seconds", 4, "--output", output, "--json")
    status, result = result_of(workbench("optimize", "own:number", *options))
    assert (status, result["metric"], result["accuracy"]) == (0, "root mean squared error", None)
    network = sys.modules["helper"].Network
    table = np.loadtxt("data.csv", delimiter=",", skiprows=1, dtype=np.float32)[400:600]
    with torch.no_grad():
        outputs = wb.to_module(output, network(1))(torch.from_numpy(table[:, :4]))[:, 0].numpy()
    assert sqrt(((outputs - table[:, 5]) ** 2).mean()) == pytest.approx(result["value"], rel=1e-4)
    values = [point["value"] for point in result["front"]]
    assert values == sorted(values, reverse=True)


@pytest.mark.slow
def test_texts(workbench, folder):
    options = ("--min-accuracy", 0.9, "--seconds", 3, "--json")
    status, result = result_of(workbench("optimize", "own:Factory.texts", *options))
    assert (status, result["met"], result["model"]) == (0, True, "custom/texts")


@pytest.mark.slow
def test_other_commands_take_the_same_model(workbench, folder):
    output = ("--output", folder / "m.safetensors")
    bits = ("--quantize.bits", 4)
    for command in (("measure", *bits), ("compress", *bits, *output)):
        status, result = result_of(workbench(command[0], "own:classes", *command[1:], "--json"))
        assert (status, result["recipe"]) == (0, {"quantize": {"bits": 4}})
    steps = ("--steps", 3, "--json")
    for command in (("train", *output), ("distill", "--teacher", "custom/classes", *output)):
        status, result = result_of(workbench(command[0], "own:classes", *command[1:], *steps))
        assert (status, result["model"]) == (0, "custom/classes")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("own:module", "returns Network, which is not a model with data: return wb.from_module("),
        ("own:nothing", "returns int, which is not a model with data: return a model"),
        ("own:fails", "'own:fails' cannot be created: it fails with ValueError: no weights"),
        ("own:leaves", "its code exits"),
        ("own:gone", "has no 'gone'"),
        ("nowhere:model", "No module named 'nowhere'"),
        ("gone.py:model", "There is no file or folder gone.py: check the path."),
        ("own.py", "own.py is a file of code: name the callable in it"),
    ],
)
def test_code_without_a_model(workbench, folder, text, words):
    for command in (("optimize", "--seconds", 2), ("measure",)):
        status, out, err = workbench(command[0], text, *command[1:])
        lines = [line for line in err.splitlines() if line.startswith("workbench: ")]
        assert (status, out, len(lines)) == (2, "", 1)
        assert words in lines[0]


@pytest.mark.slow
def test_optimize_learns_from_a_table(workbench, folder, monkeypatch):
    monkeypatch.setenv("WORKBENCH_BUDGET", "6")  # enough on a busy machine
    output = folder / "small.safetensors"
    options = ("--predict", "kind", "--leave-out", "number", "--max-bytes", 2500, "--seconds", 6)
    command = ("optimize", "data.csv", *options, "--output", output, "--json")
    status, result = result_of(workbench(*command))
    assert (status, result["met"], result["model"]) == (0, True, "custom/data")
    assert (result["data"]["rows_used"], result["data"]["target"]) == (800, "kind")
    assert result["data"]["columns_used"] == ["a", "b", "c", "d"]
    assert result["bytes"] == output.stat().st_size <= 2500
    predicted = wb.predict(output, "data.csv")
    figures = predicted.as_dict()["figures"]
    assert figures["accuracy"] > 0.9
    assert wb.evaluate(output).value == result["value"]


@pytest.mark.slow
def test_optimize_learns_from_pictures(workbench, folder):
    generator = np.random.default_rng(0)
    with zipfile.ZipFile("photos.zip", "w") as archive:
        for name, level in (("bright", 200), ("dark", 0)):
            for n in range(20):
                pixels = generator.integers(level, level + 50, (12, 12)).astype(np.uint8)
                Image.fromarray(pixels).save(stream := BytesIO(), "PNG")
                archive.writestr(f"{name}/{n}.png", stream.getvalue())
    options = ("--size", 28, "--seconds", 2, "--json")
    status, result = result_of(workbench("optimize", "photos.zip", *options))
    assert (status, result["data"]["pictures_used"]) == (0, 40)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("fashion/mlp-32", "--predict", "kind"), "--predict is for a table or pictures, and"),
        (("fashion/mlp-32", "--encoding", "utf-8"), "--encoding is for a table or pictures, and"),
        (("data.csv", "--size", 28), "--size is for pictures"),
        (("data.csv", "--predict", "no"), "no column “no”"),
        (("data.csv", "--output", "data.csv"), "data.csv is an input"),
        (("data.csv", "--max-bytes", -5), "max_bytes must be an integer of at least 1, not -5"),
        (("data.csv", "--min-accuracy", "nan"), "min_accuracy must be a fraction above 0"),
        (("data.csv", "--max-latency-ms", "inf"), "max_latency_ms must be a number above 0"),
        (("data.csv", "--seconds", "nan"), "--seconds must be a number above 0"),
    ],
)
def test_bad_options_of_data(workbench, folder, options, words):
    before = (folder / "data.csv").read_bytes()
    status, out, err = workbench("optimize", *options)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert words in err
    assert (folder / "data.csv").read_bytes() == before


@pytest.mark.parametrize("command", ["optimize", "compress", "train"])
@pytest.mark.parametrize("text", ["own.py:classes", "own:classes"])
def test_the_code_of_a_model_is_not_replaced(workbench, folder, command, text):
    code = (folder / "own.py").read_bytes()
    status, _out, err = workbench(command, text, "--output", "own.py")
    assert status == 2
    assert "own.py is an input: choose another output." in err
    assert (folder / "own.py").read_bytes() == code


def test_learn_does_not_replace_its_table(workbench, folder):
    status, _out, err = workbench("learn", "data.csv", "--output", "data.csv")
    assert (status, "is an input" in err) == (2, True)


SMALL_MODULE = """
import torch

import workbench as wb


DATA = torch.rand(60, 4, generator=torch.Generator().manual_seed(0)), torch.arange(60) % 2


def network():
    splits = dict.fromkeys(("train", "validation", "test"), DATA)
    return wb.from_module(torch.nn.Linear(4, 2), **splits, name="gone")


def module():
    return torch.nn.Linear(4, 2)


COUNT = 3
"""


@pytest.fixture
def file(folder, monkeypatch):
    """A file of a model that is not registered any more, next to the code of the model."""
    (folder / "own.py").write_text(SMALL_MODULE)
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())
    data = torch.rand(60, 4), torch.arange(60) % 2
    splits = dict.fromkeys(("train", "validation", "test"), data)
    model = wb.from_module(torch.nn.Linear(4, 2), **splits, name="gone")
    recipe = wb.Recipe(quantize=wb.Quantize(bits=4))
    wb.compress(model, recipe).save(folder / "gone.safetensors")
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())
    return "gone.safetensors"


FILE_COMMANDS = {
    "evaluate": ((), ("--model own.py:callable",)),
    "export": (("--output", "gone.onnx"), ("--model own.py:callable",)),
    "benchmark": (("--to", "torch"), ("--model own.py:callable",)),
    "to-module": (("--output", "weights.safetensors"), ("--module own.py:",)),
}


@pytest.mark.parametrize("command", FILE_COMMANDS)
def test_the_file_of_a_model_that_is_not_registered(workbench, file, command):
    options, facts = FILE_COMMANDS[command]
    status, out, err = workbench(command, file, *options)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert all(fact in err for fact in ("custom/gone", *facts))
    assert ("--module" in err) == (command == "to-module")
    assert "in the app" not in err


@pytest.mark.slow
def test_confirm_of_a_model_that_is_not_registered(workbench, file, monkeypatch):
    sys.path.insert(0, ".")
    model = import_module("own").network()
    wb.export(file, "onnxruntime").save("package")
    del model
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())
    status, out, err = workbench("confirm", "package", "--file", file)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert all(fact in err for fact in ("custom/gone", "--model own.py:callable"))
    command = ("confirm", "package", "--file", file, "--model", "own.py:network", "--json")
    status, result = result_of(workbench(*command))
    assert (status, result["confirmed"]) == (0, True)


MODEL = ("--model", "own.py:network")


def test_a_file_of_a_custom_model_is_evaluated_with_its_code(workbench, file):
    status, result = result_of(workbench("evaluate", file, *MODEL, "--json"))
    inputs, labels = import_module("own").DATA
    predicted = wb.to_module(file, torch.nn.Linear(4, 2))(inputs).argmax(1)
    right = (predicted == labels).double().mean().item()
    size = Path(file).stat().st_size
    assert (status, result["bytes"], result["value"]) == (0, size, right)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["export", "benchmark"])
def test_a_file_of_a_custom_model_runs_in_runtimes_with_its_code(workbench, file, command):
    options, _facts = FILE_COMMANDS[command]
    status, result = result_of(workbench(command, file, *MODEL, *options, "--json"))
    assert status == 0
    assert result["timings"] if command == "benchmark" else Path("gone.onnx").stat().st_size


def test_code_that_returns_another_model_is_named(workbench, file):
    (code := Path("own.py")).write_text(code.read_text().replace('"gone"', '"other"'))
    status, _out, err = workbench("evaluate", file, *MODEL)
    assert (status, err.count("\n")) == (2, 1)
    assert all(fact in err for fact in ("custom/gone", "own.py:network", "custom/other"))


def test_what_the_advice_for_a_file_names_works(workbench, file):
    status, result = result_of(workbench("inspect", file, "--json"))
    assert status == 0
    recipe = json.dumps(result["recipe"])
    status, result = result_of(workbench("measure", "own.py:network", "--recipe", recipe, "--json"))
    assert (status, result["recipe"]) == (0, {"quantize": {"bits": 4}})
    output = ("--output", "weights.safetensors")
    assert workbench("to-module", file, "--module", "own.py:module", *output)[0] == 0


def test_a_custom_name_needs_its_code():
    with raises("model.not_registered", "custom/never", "own.py:callable") as caught:
        find("custom/never")
    assert "--module" not in str(caught.value)


def test_a_teacher_that_is_not_registered(workbench, file):
    options = ("--teacher", "custom/teacher", "--steps", 2, "--output", "small.safetensors")
    status, _out, err = workbench("distill", "own.py:network", *options)
    assert (status, err.count("\n")) == (2, 1)
    assert all(fact in err for fact in ("custom/teacher", "name='teacher'", "code of the student"))


MISSING_NAMES = {
    "own.py:nothing": ("own.py", "'nothing'", "network", "module", "own.py:network"),
    "own:netwrok": ("own", "'netwrok'", "own:network"),
    "own.py:network.inner": ("own.py:network", "'inner'"),
    "empty.py:model": ("empty.py", "'model'"),
}


@pytest.mark.parametrize("text", MISSING_NAMES)
def test_a_name_that_the_code_does_not_have(file, folder, text):
    (folder / "empty.py").write_text("import torch")
    with raises("cli.unknown_callable", *MISSING_NAMES[text]) as caught:
        find(text)
    assert not any(name in str(caught.value) for name in ("COUNT", "torch", "__"))
    sys.modules.pop("empty", None)


def test_an_attribute_error_of_the_code_itself_is_reported(file, folder):
    with (folder / "own.py").open("a") as code:
        code.write("\ndef wrong():\n    return torch.no_such\n")
    with raises("module.failed", "no_such"):
        find("own.py:wrong")
