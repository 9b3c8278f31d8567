"""Objects of a wrong type, passed to every public function: each raises an error with a code."""

from __future__ import annotations

import inspect
import re
from functools import cache

import pytest
import torch
from safetensors.torch import save_file

import workbench as wb
from tests.raises import raises

MODEL = "fashion/mlp-32"
NAME = "fashion/mlp-32.resnet.t4.labels5"
WRONG = (3.5, object(), None, [object()])
"""Objects that no required argument takes."""

RECORDS = {
    "Agreement",
    "Artifact",
    "Attribution",
    "Benchmark",
    "Carbon",
    "Comparison",
    "CpuPower",
    "Energy",
    "Generation",
    "Histogram",
    "HonestFigures",
    "InferenceEnergy",
    "InferencePlan",
    "Inspection",
    "Ledger",
    "Memory",
    "Model",
    "ModulePlan",
    "NewDataReport",
    "NumberComparison",
    "Package",
    "ParallelEvaluation",
    "ParallelMeasurement",
    "ParallelTraining",
    "Predictions",
    "Recommendation",
    "Report",
    "Roofline",
    "Student",
    "Study",
    "Task",
    "TrainingPlan",
}
"""Records that functions return: users do not make them, so their fields are not checked."""
DECLARED = {"LazySplit", "ModelPlugin"}
"""Declarations of packages, which are checked when they are loaded."""
SETTINGS = {
    *("Activations", "Adjust", "Factorize", "Prune"),
    *("Quantize", "Share", "Structure", "Train"),
}
"""Parts of a recipe, whose fields tests/recipe checks."""
OTHERS = {"WorkbenchError", "ui"}
"""The errors themselves, and a module."""
LEFT_OUT = RECORDS | DECLARED | SETTINGS | OTHERS


@cache
def data():
    return torch.rand(12, 4), torch.arange(12) % 3


@cache
def artifact():
    return wb.compress(wb.model(MODEL), wb.Recipe())


def checkpoint():
    save_file({"weight": torch.ones(2, 2)}, "original.safetensors")
    return "original.safetensors"


VALID = {
    "after": checkpoint,
    "before": checkpoint,
    "compressed": wb.Recipe,
    "config": lambda: "llama-3.1-8b",
    "energy": lambda: wb.energy_of(int)[1],
    "file": artifact,
    "folder": lambda: "job",
    "layer": lambda: "fc1.weight",
    "model": lambda: wb.model(MODEL),
    "module": lambda: torch.nn.Linear(4, 3),
    "name": lambda: MODEL,
    "output": lambda: "output.safetensors",
    "packages": lambda: wb.export(artifact(), "torch"),
    "package": lambda: wb.export(artifact(), "torch"),
    "path": checkpoint,
    "recipe": wb.Recipe,
    "recipes": lambda: [wb.Recipe()],
    "report": lambda: wb.measure(wb.model(MODEL), timed=False),
    "rows": lambda: [[1.0]],
    "source": lambda: {"a": [1, 2] * 30, "b": ["x", "y"] * 30},
    "student": lambda: wb.students(MODEL)[0],
    "study": lambda: wb.Study.of(wb.model(MODEL), wb.Space({"quantize.bits": [4, 8]})),
    "targets": lambda: ["a", "b"] * 50,
    "test": data,
    "texts": lambda: ["good", "bad"] * 50,
    "train": data,
    "validation": data,
}
"""A valid value for each name of an argument."""


def functions():
    """Return the public callables that take arguments from users, by name."""
    return {name: getattr(wb, name) for name in wb.__all__ if name not in LEFT_OUT}


def parameters(name):
    return inspect.signature(functions()[name]).parameters.values()


def required(name):
    """Return the names of the arguments that a function needs."""
    many = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
    return [p.name for p in parameters(name) if p.default is p.empty and p.kind not in many]


def watching(name):
    """Return the arguments of a function that cancel it and hear of its progress."""
    names = [parameter.name for parameter in parameters(name)]
    return [name for name in names if name == "cancel" or name.startswith("on_")]


def check(name, wrong, value):
    """Call a function with valid arguments except `wrong`, and check the error."""
    arguments = {key: VALID[key]() for key in required(name) if key != wrong}
    with pytest.raises(wb.WorkbenchError) as caught:
        functions()[name](**arguments, **{wrong: value})
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", caught.value.code)
    assert str(caught.value).endswith(".")
    return str(caught.value)


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_every_name_that_is_left_out_exists():
    assert set(wb.__all__) >= LEFT_OUT


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "argument"), [(name, argument) for name in functions() for argument in required(name)]
)
def test_a_required_argument_of_a_wrong_type(name, argument):
    for value in WRONG:
        check(name, argument, value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "argument"), [(name, argument) for name in functions() for argument in watching(name)]
)
def test_a_wrong_token_or_callback(name, argument):
    assert argument in check(name, argument, 3.5)


@pytest.mark.parametrize(
    ("call", "code", "fact"),
    [
        (lambda m: wb.confirm(artifact()), "argument.not_a_package", "wb.export"),
        (lambda m: wb.benchmark(["x"]), "argument.not_packages", "'x'"),
        (lambda m: wb.carbon(3, 100), "argument.not_an_energy", "3"),
        (lambda m: wb.EnergyMeter(gpus="x"), "argument.not_a_flag", "gpus"),
        (lambda m: wb.EnergyMeter(power=3), "argument.not_a_power", "3"),
        (lambda m: wb.energy_of(3), "argument.not_a_function", "work"),
        (lambda m: wb.Live(3), "argument.not_a_figure", "3"),
        (lambda m: wb.watch([3]), "argument.not_a_figure", "3"),
        (lambda m: wb.watch(3), "argument.not_states", "3"),
        (lambda m: wb.honest_figures(m, "x"), "argument.not_a_report", "'x'"),
        (lambda m: wb.train_student(NAME), "argument.not_a_student", f"wb.student({NAME!r})"),
        (lambda m: wb.Session(MODEL, 3), "argument.not_a_recipe", "3"),
        (lambda m: wb.export(artifact(), 3), "argument.not_a_target", "3"),
        (lambda m: wb.compress(m, {"prune": {}}), "argument.not_a_recipe", "Recipe.from_json"),
        (lambda m: wb.compress(m, wb.Prune(0.5)), "argument.not_a_recipe", "Recipe(Prune(...))"),
        (lambda m: wb.model("x"), "name.unknown", MODEL),
        (lambda m: wb.model(3), "argument.not_a_name", "fashion/lenet5"),
        (lambda m: wb.task("x"), "name.unknown", "fashion"),
        (lambda m: wb.task([]), "argument.not_a_name", "fashion"),
        (lambda m: wb.models("x"), "name.unknown", "fashion"),
        (lambda m: wb.models([]), "argument.not_a_name", "fashion"),
        (lambda m: wb.student("x"), "name.unknown", "resnet"),
        (lambda m: wb.student(MODEL), "name.unknown", MODEL),
        (lambda m: wb.students("x"), "name.unknown", MODEL),
        (lambda m: wb.students("vowels/gru"), "name.unknown", MODEL),
        (lambda m: wb.students([]), "argument.not_a_name", MODEL),
    ],
)
def test_what_the_error_says(call, code, fact):
    with raises(code, fact):
        call(wb.model(MODEL))


@pytest.mark.parametrize(
    ("settings", "code", "fact"),
    [
        ({"prompt": 5}, "argument.not_text", "5"),
        ({"temperature": "x"}, "argument.temperature_out_of_range", "'x'"),
    ],
)
def test_wrong_settings_of_generated_text(settings, code, fact):
    with raises(code, fact):
        wb.generate(wb.model("reviews-lm/gpt"), wb.Recipe(), **settings)


def test_one_package_is_checked_like_a_list_of_one():
    package = wb.export(artifact(), "torch")
    for packages in (package, [package]):
        with raises("deploy.invalid_number", "batch"):  # checked with the first package
            wb.benchmark(packages, batches=[0])
