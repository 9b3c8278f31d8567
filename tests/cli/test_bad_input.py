"""What a person gets wrong: exit status 2, one line that says so, and nothing else."""

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
def refused(workbench):
    """Run a command that must be refused; return the line that says why."""

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
    "sparsity in words": ('{"prune": {"sparsity": "high"}}', "sparsity"),
    "sparsity not a number": ('{"prune": {"sparsity": NaN}}', "sparsity"),
    "sparsity without end": ('{"prune": {"sparsity": 1e999}}', "sparsity"),
    "sparsity too long": (f'{{"prune": {{"sparsity": 1{"0" * 400}}}}}', "sparsity"),
    "sparsity true": ('{"prune": {"sparsity": true}}', "sparsity"),
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
def test_bad_recipes(refused, tmp_path, recipe, word):
    output = tmp_path / "out.safetensors"
    assert word in refused("compress", SMALL, "--recipe", recipe, "--output", output)
    assert word in refused("measure", SMALL, "--recipe", recipe, "--json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"not json", b'{"prune": {"sparsity": 2}}'], ids=repr
)
def test_bad_recipe_files(refused, tmp_path, content):
    path = tmp_path / "recipe.json"
    path.write_bytes(content)
    refused("measure", SMALL, "--recipe", path)


def test_a_folder_is_no_recipe(refused, tmp_path):
    assert str(tmp_path) in refused("measure", SMALL, "--recipe", tmp_path)


@pytest.mark.parametrize(
    "name", ["lenet5", "fashion/none", "", "../fashion/lenet5", "fashion/lenet5\n"]
)
def test_unknown_models(refused, tmp_path, name):
    for more in ((), ("--json",)):
        line = refused("measure", name, *more)
        assert all(model in line for model in wb.models())
    refused("compress", name, "--output", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def whole():
    return wb.compress(wb.model(SMALL), wb.Recipe.from_json('{"quantize": {"bits": 4}}')).to_bytes()


def spoiled(whole):
    """Files that are not what they should be, by what is wrong with them."""
    flipped = [bytearray(whole) for _ in range(5)]
    for content, place in zip(flipped, (3, 40, 400, len(whole) // 2, len(whole) - 1), strict=True):
        content[place] ^= 1
    return {
        "empty": b"",
        "one byte": b"x",
        "foreign": b"PK\x03\x04 this is an archive of another kind",
        "zeros": bytes(1000),
        "another safetensors": wb.model(SMALL).architecture.checkpoint.read_bytes(),
        "cut after the start": whole[:8],
        "cut in the header": whole[:200],
        "cut in the data": whole[: len(whole) // 2],
        "cut by one": whole[:-1],
        "longer by one": whole + b"\0",
        "twice": whole * 2,
        **{f"bit flipped {k}": bytes(content) for k, content in enumerate(flipped)},
    }


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("train", "--seconds", "5", "--steps", "9"), "give --seconds or --steps, not both"),
        (("distill", "--teacher", ""), "use workbench train"),
    ],
)
def test_what_would_be_passed_over_is_refused(refused, tmp_path, command, words):
    verb, *options = command
    line = refused(verb, SMALL, "--output", tmp_path / "file", *options)
    assert words in line
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["evaluate", "inspect"])
def test_files_that_are_not_whole(refused, tmp_path, whole, command):
    for fault, content in spoiled(whole).items():
        path = tmp_path / "file.safetensors"
        path.write_bytes(content)
        for more in ((), ("--json",)):
            assert refused(command, path, *more), fault
    refused(command, tmp_path / "missing.safetensors")
    refused(command, tmp_path)


def test_one_bad_file_among_several(refused, tmp_path, whole):
    (tmp_path / "good").write_bytes(whole)
    (tmp_path / "bad").write_bytes(whole[:-1])
    line = refused("evaluate", tmp_path / "good", tmp_path / "bad", "--json")
    assert "cut short" in line


def test_a_file_for_another_module(refused, tmp_path):
    coded = encode_tensors(wb.model(SMALL).weights(), wb.Recipe())
    for name in ("fashion/lenet5", "fashion/none"):
        path = Artifact.of(name, wb.Recipe(), coded).save(tmp_path / "other")
        assert name in refused("evaluate", path)


def test_outputs_that_cannot_be_written(refused, tmp_path):
    (tmp_path / "file").touch()
    for output in (tmp_path, tmp_path / "none" / "out", tmp_path / "file" / "out"):
        assert str(output) in refused("compress", SMALL, "--output", output)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_output_is_whole_or_not_there(refused, tmp_path, monkeypatch):
    def fail(source, target):
        raise OSError(28, "No space left on device")

    target = tmp_path / "out"
    target.write_bytes(b"older")
    monkeypatch.setattr("workbench.artifact.artifact.os.replace", fail)
    assert "No space left" in refused("compress", SMALL, "--output", target)
    assert target.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="the superuser may write anywhere"
)
def test_a_folder_that_may_not_be_written(refused, tmp_path):
    tmp_path.chmod(0o500)
    refused("compress", SMALL, "--output", tmp_path / "out")
    tmp_path.chmod(0o700)


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
def test_commands_that_make_no_sense(refused, arguments):
    refused(*arguments)


@pytest.mark.parametrize("command", ["dashboard", "lab"])
def test_a_port_in_use(refused, command):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert str(port) in refused(command, "--port", port, "--no-browser")


@pytest.mark.parametrize(
    "arguments",
    [["measure", "fashion/none"], ["inspect", "missing"], ["measure", SMALL, "--recipe", "{"]],
    ids=" ".join,
)
def test_a_process_of_its_own_refuses_likewise(arguments, tmp_path):
    command = [sys.executable, "-m", "workbench", *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1


def test_names_with_line_breaks_stay_on_one_line(refused, tmp_path):
    recipe = json.dumps({"prune": {"a\nb": 1}})
    refused("measure", SMALL, "--recipe", recipe)
    refused("inspect", tmp_path / "a\nb")
    refused("compress", SMALL, "--output", tmp_path / "none" / "a\nb")
