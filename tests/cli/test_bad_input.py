"""User errors: exit status 2, one line on standard error, and no other output."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest

import workbench as wb
from workbench.artifact.artifact import Artifact
from workbench.compression.encode import encode_tensors

SMALL = "fashion/lenet-300-100"


@pytest.fixture
def fails(workbench):
    """Run a command that must fail, and return its error message."""

    def run(*arguments):
        status, out, err = workbench(*arguments)
        assert (status, out) == (2, "")
        assert err.endswith("\n")
        assert err.count("\n") == 1
        assert err.startswith("workbench")
        assert "Traceback" not in err
        return err

    return run


RECIPES = {
    "sparsity too high": ('{"prune": {"sparsity": 1.5}}', "sparsity"),
    "sparsity below zero": ('{"prune": {"sparsity": -0.1}}', "sparsity"),
    "sparsity as text": ('{"prune": {"sparsity": "high"}}', "sparsity"),
    "sparsity not a number": ('{"prune": {"sparsity": NaN}}', "sparsity"),
    "infinite sparsity": ('{"prune": {"sparsity": 1e999}}', "sparsity"),
    "sparsity too long": (f'{{"prune": {{"sparsity": 1{"0" * 400}}}}}', "sparsity"),
    "Boolean sparsity": ('{"prune": {"sparsity": true}}', "sparsity"),
    "one bit": ('{"quantize": {"bits": 1}}', "bits"),
    "nine bits": ('{"quantize": {"bits": 9}}', "bits"),
    "half a bit": ('{"quantize": {"bits": 4.5}}', "bits"),
    "a list of bits": ('{"quantize": {"bits": [4]}}', "bits"),
    "unknown key": ('{"prune": {"sparsity": 0.5, "colour": "red"}}', "colour"),
    "unknown part": ('{"squeeze": {}}', "squeeze"),
    "unknown choice": ('{"prune": {"criterion": "gut"}}', "criterion"),
    "unknown layer": ('{"prune": {"exclude": ["fc9.weight"]}}', "fc9.weight"),
    "a layer with one dimension": ('{"quantize": {"layers": {"fc1.bias": 4}}}', "fc1.bias"),
    "layers not a map": ('{"prune": {"layers": [0.5]}}', "layers"),
    "seed too large": ('{"prune": {"seed": 99999999999}}', "seed"),
    "part not an object": ('{"prune": 0.5}', "prune"),
    "not an object": ("[1, 2]", "JSON object"),
    "not JSON": ("{prune: 0.5}", "JSON"),
    "JSON cut short": ('{"prune": {"spars', "JSON"),
    "deep": ('{"prune":' * 100_000, "JSON"),
    "neither JSON nor a file": ("no-such-recipe.json", "no-such-recipe.json"),
    "nothing": ("", "recipe"),
}


@pytest.mark.parametrize(("recipe", "word"), RECIPES.values(), ids=RECIPES)
def test_bad_recipes(fails, tmp_path, recipe, word):
    output = tmp_path / "out.safetensors"
    assert word in fails("compress", SMALL, "--recipe", recipe, "--output", output)
    assert word in fails("measure", SMALL, "--recipe", recipe, "--json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"not json", b'{"prune": {"sparsity": 2}}'], ids=repr
)
def test_bad_recipe_files(fails, tmp_path, content):
    path = tmp_path / "recipe.json"
    path.write_bytes(content)
    fails("measure", SMALL, "--recipe", path)


def test_a_folder_is_not_a_recipe(fails, tmp_path):
    assert str(tmp_path) in fails("measure", SMALL, "--recipe", tmp_path)


@pytest.mark.parametrize(
    "name", ["lenet5", "fashion/none", "", "../fashion/lenet5", "fashion/lenet5\n"]
)
def test_unknown_models(fails, tmp_path, name):
    for more in ((), ("--json",)):
        line = fails("measure", name, *more)
        assert all(model in line for model in wb.models())
    fails("compress", name, "--output", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def content():
    return wb.compress(wb.model(SMALL), wb.Recipe.from_json('{"quantize": {"bits": 4}}')).to_bytes()


def damaged(content):
    """Return damaged and foreign files by fault."""
    positions = (3, 40, 400, len(content) // 2, len(content) - 1)
    flipped = [bytearray(content) for _ in positions]
    for copy, position in zip(flipped, positions, strict=True):
        copy[position] ^= 1
    return {
        "empty": b"",
        "one byte": b"x",
        "foreign": b"PK\x03\x04 this is an archive of another kind",
        "zeros": bytes(1000),
        "another safetensors": wb.model(SMALL).architecture.checkpoint.read_bytes(),
        "cut after the start": content[:8],
        "cut in the header": content[:200],
        "cut in the data": content[: len(content) // 2],
        "cut by one": content[:-1],
        "longer by one": content + b"\0",
        "twice": content * 2,
        **{f"bit flipped {k}": bytes(copy) for k, copy in enumerate(flipped)},
    }


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("train", "--seconds", "5", "--steps", "9"), "give --seconds or --steps, not both"),
        (("distill", "--teacher", ""), "use workbench train"),
    ],
)
def test_conflicting_training_options_are_rejected(fails, tmp_path, command, words):
    verb, *options = command
    line = fails(verb, SMALL, "--output", tmp_path / "file", *options)
    assert words in line
    assert not any(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("command", ["evaluate", "inspect"])
def test_damaged_files(fails, tmp_path, content, command):
    for fault, blob in damaged(content).items():
        if (command, fault) == ("inspect", "another safetensors"):
            continue  # it describes any safetensors file
        path = tmp_path / "file.safetensors"
        path.write_bytes(blob)
        for more in ((), ("--json",)):
            assert fails(command, path, *more), fault
    fails(command, tmp_path / "missing.safetensors")
    fails(command, tmp_path)


def test_one_bad_file_among_several(fails, tmp_path, content):
    (tmp_path / "good").write_bytes(content)
    (tmp_path / "bad").write_bytes(content[:-1])
    line = fails("evaluate", tmp_path / "good", tmp_path / "bad", "--json")
    assert "cut short" in line


def test_a_file_for_another_module(fails, tmp_path):
    coded = encode_tensors(wb.model(SMALL).weights(), wb.Recipe())
    for name in ("fashion/lenet5", "fashion/none"):
        path = Artifact.of(name, wb.Recipe(), coded).save(tmp_path / "other")
        assert name in fails("evaluate", path)


def test_outputs_that_cannot_be_written(fails, tmp_path):
    (tmp_path / "file").touch()
    for output in (tmp_path, tmp_path / "none" / "out", tmp_path / "file" / "out"):
        assert str(output) in fails("compress", SMALL, "--output", output)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    "command",
    [
        ("compress", SMALL, "--recipe"),
        ("train", SMALL, "--recipe"),
        ("plan", "calibrate", "--rows"),
        ("plan", "calibrate", "--chip"),
        ("predict", "file.wb"),
    ],
)
@pytest.mark.parametrize("other", ["input.json", "./input.json", "link.json"])
def test_an_output_that_is_an_input(fails, tmp_path, monkeypatch, command, other):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "input.json"
    path.write_text("{}")
    (tmp_path / "link.json").hardlink_to(path)
    message = fails(*command, "input.json", "--output", other)
    assert message.endswith("is an input: choose another output.\n")
    assert path.read_text() == "{}"


def test_writing_is_atomic(fails, tmp_path, monkeypatch):
    def fail(source, target):
        raise OSError(28, "No space left on device")

    target = tmp_path / "out"
    target.write_bytes(b"older")
    monkeypatch.setattr("workbench.artifact.artifact.os.replace", fail)
    assert "No space left" in fails("compress", SMALL, "--output", target)
    assert target.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="the superuser can write anywhere"
)
def test_a_read_only_folder(fails, tmp_path):
    tmp_path.chmod(0o500)
    fails("compress", SMALL, "--output", tmp_path / "out")
    tmp_path.chmod(0o700)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--prune.sparsity", "2"], "prune.sparsity must be a number from 0 to 0.99"),
        (["--prune.sparsity", "many"], "--prune.sparsity: invalid float value"),
        (["--quantize.bits", "4.5"], "--quantize.bits: invalid int value"),
        (["--prune.criterion", "gut"], "prune.criterion must be one of magnitude"),
        (["--prune.layers", "fc9.weight=0.5"], "prune.layers names 'fc9.weight'"),
        (["--prune.layers", "fc1.weight"], "give LAYER=NUMBER, not 'fc1.weight'"),
        (["--quantize.layers", "fc1.weight=low"], "give LAYER=NUMBER, not 'fc1.weight=low'"),
        (["--prune.exclude", "fc9.weight"], "prune.exclude names 'fc9.weight'"),
        (["--prune.colour", "red"], "unrecognized arguments: --prune.colour"),
    ],
)
def test_bad_fields_of_recipes(fails, options, words):
    assert words in fails("measure", SMALL, *options)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unknown"],
        ["measure"],
        ["measure", SMALL, "--split", "training"],
        ["measure", SMALL, "--colour"],
        ["compress", SMALL],
        ["evaluate"],
        ["inspect"],
        ["dashboard", "--port", "many"],
        ["dashboard", "--port", "99999"],
        ["dashboard", "--port", "-1"],
        ["list", "extra"],
    ],
    ids=" ".join,
)
def test_invalid_commands(fails, arguments):
    fails(*arguments)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["dashboard", "lab"])
def test_a_port_in_use(fails, command):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert str(port) in fails(command, "--port", port, "--no-browser")


@pytest.mark.parametrize("command", ["dashboard", "lab"])
def test_a_server_prints_no_json(workbench, command):
    status, _, err = workbench(command, "--json")
    assert (status, err) == (2, "workbench: unrecognized arguments: --json\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [["measure", "fashion/none"], ["inspect", "missing"], ["measure", SMALL, "--recipe", "{"]],
    ids=" ".join,
)
def test_a_separate_process_fails_in_the_same_way(arguments, tmp_path):
    command = [sys.executable, "-m", "workbench", *arguments, "--json"]
    process = subprocess.run(
        command, capture_output=True, encoding="utf-8", cwd=tmp_path, check=False
    )
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.count("\n") == 1


def test_names_with_line_breaks_stay_on_one_line(fails, tmp_path):
    recipe = json.dumps({"prune": {"a\nb": 1}})
    fails("measure", SMALL, "--recipe", recipe)
    fails("inspect", tmp_path / "a\nb")
    fails("compress", SMALL, "--output", tmp_path / "none" / "a\nb")
