"""The script of a package says in one sentence what is wrong with the arrays that it is given."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from workbench.deploy import run_script as scripts

LOADER = """import math


def run(inputs):
    return np.stack([values.reshape(len(values), -1).sum(1) for values in inputs.values()], 1)
"""
TYPES = {"tokens": ("int64", (5,)), 'a "b"': ("float32", (2, 3)), "mask": ("bool", ())}
GOOD = {
    "tokens": np.arange(20).reshape(4, 5),
    'a "b"': np.ones((4, 2, 3), np.float32),
    "mask": np.array([True, False, True, True]),
}


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Write a script for inputs, and return a function that runs it."""
    monkeypatch.setitem(scripts.LOADERS, "onnxruntime", LOADER)

    def write(types):
        entries = [
            {"name": name, "dtype": dtype, "shape": ["batch", *shape], "preparation": "numbers"}
            for name, (dtype, shape) in types.items()
        ]
        target = {"runtime": "onnxruntime", "precision": "float32", "threads": 1}
        text = scripts.run_script({"target": target, "inputs": entries, "classes": []})
        path = tmp_path / "run.py"
        path.write_text(text, encoding="utf-8")

        def run(*arguments):
            command = [sys.executable, "-I", str(path), *map(str, arguments)]
            process = subprocess.run(command, capture_output=True, text=True, check=False)
            return process.returncode, process.stdout, process.stderr.strip()

        return run

    return write


def without(name):
    return {key: array for key, array in GOOD.items() if key != name}


WRONG = {
    "missing": (without("mask"), ["tokens", "mask", "holds tokens"]),
    "surplus": ({**GOOD, "more": np.ones(4)}, ["holds tokens", "more"]),
    "misnamed": ({**without("mask"), "masks": GOOD["mask"]}, ["masks"]),
    "nothing": ({}, ["holds nothing"]),
    "shape": ({**GOOD, "tokens": np.ones((4, 6), int)}, ["tokens", "[5]", "[6]"]),
    "scalar": ({**GOOD, "mask": np.array(True)}, ["examples"]),
    "count": ({**GOOD, "mask": np.ones(3, bool)}, ["examples"]),
    "no examples": ({name: array[:0] for name, array in GOOD.items()}, ["at least one"]),
    "fractions": ({**GOOD, "tokens": GOOD["tokens"] + 0.5}, ["tokens", "int64", "float64"]),
    "no numbers": ({**GOOD, "tokens": np.full((4, 5), np.nan)}, ["tokens", "int64"]),
    "not a mask": ({**GOOD, "mask": np.arange(4)}, ["mask", "bool", "int64"]),
    "text": ({**GOOD, 'a "b"': np.full((4, 2, 3), "1")}, ['a "b"', "float32"]),
    "complex": ({**GOOD, 'a "b"': np.ones((4, 2, 3), complex)}, ['a "b"', "complex128"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arrays_are_refused_in_one_sentence(name, script, tmp_path):
    arrays, facts = WRONG[name]
    np.savez(tmp_path / "inputs.npz", **arrays)
    status, _out, error = script(TYPES)(tmp_path / "inputs.npz")
    assert status == 1
    assert len(error.splitlines()) == 1
    for fact in facts:
        assert fact in error


def test_other_types_of_the_same_values_are_converted(script, tmp_path):
    other = {
        "mask": GOOD["mask"].astype(np.uint8),
        "tokens": GOOD["tokens"].astype(float),
        'a "b"': GOOD['a "b"'].astype(int),
    }
    run, results = script(TYPES), []
    for arrays in (GOOD, other):
        np.savez(tmp_path / "inputs.npz", **arrays)
        status, _out, error = run(tmp_path / "inputs.npz", tmp_path / "outputs.npy")
        assert (status, error) == (0, "")
        results.append(np.load(tmp_path / "outputs.npy"))
    assert np.array_equal(*results)
    assert results[0][:, 2].tolist() == [1, 0, 1, 1]


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04", b"\x80\x04K\x01.", b"text"])
def test_a_file_that_holds_no_arrays_is_refused_in_one_sentence(content, script, tmp_path):
    path = tmp_path / "inputs.npz"
    if content is not None:
        path.write_bytes(content)
    status, _out, error = script(TYPES)(path)
    assert status == 1
    assert len(error.splitlines()) == 1
    assert "inputs.npz" in error


def test_one_input_is_an_array_with_or_without_its_name(script, tmp_path):
    run, values = script({"input": ("float32", (3,))}), np.ones((2, 3))
    np.save(tmp_path / "one.npy", values)
    np.savez(tmp_path / "named.npz", input=values)
    assert run(tmp_path / "one.npy") == run(tmp_path / "named.npz") == (0, "[3.]\n[3.]\n", "")
    np.savez(tmp_path / "named.npz", other=values)
    assert "holds other" in run(tmp_path / "named.npz")[2]


def test_an_array_without_a_name_is_not_one_of_several(script, tmp_path):
    np.save(tmp_path / "one.npy", GOOD["tokens"])
    status, _out, error = script(TYPES)(tmp_path / "one.npy")
    assert status == 1
    assert "an array without a name" in error


def test_without_a_file_the_script_says_what_it_takes(script):
    status, _out, error = script(TYPES)()
    assert status == 1
    assert "python run.py inputs.npz" in error
